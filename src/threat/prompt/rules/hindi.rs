//! Hindi in Latin letters, as students type it: the verb comes last.

use super::{ORDER, Rule};

pub(super) const RULES: [Rule; 3] = [
    Rule {
        imperative: false,
        first: &[
            "instructions", "instruction", "nirdesh", "nirdeshon", "rules", "niyam", "niyamon", "hidayat", "hidayaten",
            "aadesh", "prompt", "guidelines",
        ],
        then: &[
            "ignore", "bhool", "bhul", "bhulo", "bhoolo", "bhula", "bhulaa", "nazarandaz", "nazarandaaz", "andekha",
            "chhod", "chod", "tod", "todo", "hata",
        ],
        reach: 4,
        with: &[
            "pichhle", "pichle", "pichhli", "pehle", "pahle", "purane", "upar", "saare", "sare", "sabhi", "apne",
            "apni", "tumhare", "tumhari", "aapke", "aapki", "tere", "diye",
        ],
        before: 5,
        without: &["mere", "meri", "assignment", "homework", "sawal", "exercise"],
        ..ORDER
    },
    Rule {
        imperative: false,
        first: &[
            "apna system prompt",
            "apni system prompt",
            "tumhara system prompt",
            "aapka system prompt",
            "apna prompt",
            "apne instructions",
            "apni instructions",
            "apne hidden",
            "system prompt",
            "tera system prompt",
            "chhupe hue instructions",
            "apne chhupe",
        ],
        then: &[
            "dikhao", "dikha", "dikhaao", "batao", "bata", "bataao", "likho", "likh", "print karo", "do", "de do",
            "bolo",
        ],
        reach: 3,
        without: &["kaise", "kya hota"],
        ..ORDER
    },
    Rule {
        imperative: false,
        first: &["ab tum", "ab se tum", "ab aap", "tum ab"],
        then: &[
            "bina rules*", "bina niyam*", "bina kisi rule*", "bina kisi niyam*", "bina kisi restriction*",
            "koi rules nahi", "koi niyam nahi", "unrestricted", "bina restriction*",
        ],
        reach: 8,
        ..ORDER
    },
];
