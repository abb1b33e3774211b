//! Check digits: what tells a number that somebody was given from one that a program printed.
//!
//! Every function takes digits as values from 0 to 9, in reading order.

/// ISO/IEC 7812-1, annex B (payment cards).
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([false, true].into_iter().cycle())
        .map(|(&digit, double)| match (u32::from(digit), double) {
            (digit, false) => digit,
            (digit @ 0..=4, true) => digit.saturating_mul(2),
            (digit, true) => digit.saturating_mul(2).saturating_sub(9),
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Verhoeff's dihedral check (Aadhaar).
pub(super) fn verhoeff(digits: &[u8]) -> bool {
    const TIMES: [[u8; 10]; 10] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
        [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
        [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
        [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
        [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
        [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
        [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
        [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    ];
    const PERMUTE: [[u8; 10]; 8] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
        [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
        [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
        [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
        [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
        [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ];
    let look = |table: &[[u8; 10]], row: u8, column: u8| {
        table.get(usize::from(row)).and_then(|row| row.get(usize::from(column))).copied()
    };
    let check = digits
        .iter()
        .rev()
        .zip((0..8).cycle())
        .try_fold(0, |check, (&digit, position)| look(&TIMES, check, look(&PERMUTE, position, digit)?));
    check == Some(0)
}

/// ISO 7064 MOD 11,10 (German tax identification number).
pub(super) fn mod_11_10(digits: &[u8]) -> bool {
    let Some((&check, body)) = digits.split_last() else {
        return false;
    };
    let product = body.iter().fold(10_u32, |product, &digit| {
        let sum = product.saturating_add(u32::from(digit)) % 10;
        if sum == 0 { 20 % 11 } else { sum.saturating_mul(2) % 11 }
    });
    11_u32.saturating_sub(product) % 10 == u32::from(check)
}

/// The sum of the digits, each times its weight.
pub(super) fn weighted(digits: &[u8], weights: impl Iterator<Item = u32>) -> u32 {
    digits
        .iter()
        .zip(weights)
        .fold(0, |sum, (&digit, weight)| sum.saturating_add(u32::from(digit).saturating_mul(weight)))
}

/// The digits as one number; `None` beyond 64 bits.
pub(super) fn value(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |value, &digit| value.checked_mul(10)?.checked_add(u64::from(digit)))
}

/// Brazil's CPF: two check digits over the nine (and ten) before them.
pub(super) fn cpf(digits: &[u8]) -> bool {
    let check = |length: usize| {
        let weights = (2..=u32::try_from(length).unwrap_or_default().saturating_add(1)).rev();
        let rest = weighted(digits.get(..length).unwrap_or_default(), weights).saturating_mul(10) % 11 % 10;
        digits.get(length).is_some_and(|&digit| u32::from(digit) == rest)
    };
    digits.len() == 11 && !all_same(digits) && check(9) && check(10)
}

/// Portugal's NIF: modulo 11 over the first eight.
pub(super) fn nif(digits: &[u8]) -> bool {
    let rest = weighted(digits.get(..8).unwrap_or_default(), (2..=9).rev()) % 11;
    let check = if rest < 2 { 0 } else { 11_u32.saturating_sub(rest) };
    digits.len() == 9
        && matches!(digits.first(), Some(1 | 2 | 3 | 5 | 6 | 8 | 9))
        && digits.last().is_some_and(|&digit| u32::from(digit) == check)
}

/// The letter that belongs to a Spanish DNI or NIE number.
pub(super) fn dni_letter(number: u64) -> Option<char> {
    "TRWAGMYFPDXBNJZSQVHLCKE".chars().nth(usize::try_from(number % 23).ok()?)
}

/// Whether all digits are the same: valid by some formulas, given to nobody.
pub(super) fn all_same(digits: &[u8]) -> bool {
    digits.windows(2).all(|pair| pair.first() == pair.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0').collect()
    }

    /// A checksum must accept the published examples and notice every single changed digit.
    fn notices_every_change(check: impl Fn(&[u8]) -> bool, examples: &[&str]) {
        for example in examples {
            let good = digits(example);
            assert!(check(&good), "{example}");
            for index in 0..good.len() {
                for digit in (0..10).filter(|d| *d != good[index]) {
                    let mut bad = good.clone();
                    bad[index] = digit;
                    assert!(!check(&bad), "{example} with {digit} at {index}");
                }
            }
        }
    }

    #[test]
    fn single_wrong_digits_are_noticed() {
        notices_every_change(luhn, &["4111 1111 1111 1111", "3782 822463 10005", "79927398713"]);
        notices_every_change(verhoeff, &["2363", "1428570", "2341 2341 2346"]);
        notices_every_change(mod_11_10, &["86095742719", "65929970489", "47036892816"]);
        notices_every_change(cpf, &["529.982.247-25", "111.444.777-35"]);
    }

    #[test]
    fn portuguese_numbers_have_a_kind_and_a_check_digit() {
        for good in ["123456789", "503442240", "999999990"] {
            assert!(nif(&digits(good)), "{good}");
        }
        for bad in ["123456788", "423456789", "12345678", "1234567890", ""] {
            assert!(!nif(&digits(bad)), "{bad}");
        }
    }

    #[test]
    fn a_dni_number_has_one_letter() {
        for (number, letter) in [(12_345_678, 'Z'), (0, 'T'), (22, 'E'), (99_999_999, 'R')] {
            assert_eq!(dni_letter(number), Some(letter));
        }
    }

    #[test]
    fn rows_of_one_digit_are_no_cpf() {
        assert!(!cpf(&digits("111.111.111-11")));
        assert!(!cpf(&digits("000.000.000-00")));
        assert!(!cpf(&digits("52998224725").repeat(2)));
    }

    #[test]
    fn nothing_is_no_number() {
        assert!(!mod_11_10(&[]));
        assert!(verhoeff(&[]) && luhn(&[]), "callers ask for a length first");
        assert!(!verhoeff(&[200]), "not a digit");
        assert_eq!(value(&digits("0042")), Some(42));
        assert_eq!(value(&[9; 30]), None);
    }
}
