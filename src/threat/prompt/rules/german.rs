//! German.

use super::{ORDER, Rule};

pub(super) const RULES: [Rule; 3] = [
    Rule {
        first: &[
            "ignorier", "ignoriere", "ignoriert", "ignorieren sie", "vergiss", "vergesst", "vergessen sie",
            "missachte", "übergehe", "umgehe", "verwirf", "überschreibe",
        ],
        then: &[
            "anweisungen", "anweisung", "regeln", "vorgaben", "instruktionen", "richtlinien", "befehle",
            "einschränkungen", "beschränkungen",
        ],
        with: &[
            "vorherigen", "bisherigen", "vorigen", "obigen", "deine", "deinen", "deiner", "ihre", "ursprünglichen",
            "früheren", "vorangegangenen", "bisher",
        ],
        between: &["meine", "meinen"],
        without: &["aufgabe", "übung", "aufgabenblatt"],
        ..ORDER
    },
    Rule {
        first: &[
            "zeig", "zeige", "verrate", "verrat", "nenn", "nenne", "gib", "drucke", "wiederhole", "wie lautet",
            "was ist", "schreib", "schreibe", "offenbare", "was steht",
        ],
        then: &[
            "systemprompt",
            "system prompt",
            "systemnachricht",
            "dein prompt",
            "deinen prompt",
            "deine anweisungen",
            "deine instruktionen",
            "versteckten anweisungen",
            "deine regeln",
            "deine systemanweisungen",
            "geheimen anweisungen",
        ],
        with: &["dein", "deinen", "deine", "versteckten", "geheimen", "den"],
        reach: 6,
        between: &["ein", "einen", "mein", "meinen"],
        ..ORDER
    },
    Rule {
        first: &[
            "du bist jetzt", "du bist nun", "du bist kein", "du bist nicht mehr", "ab jetzt bist du", "tu so",
            "verhalte dich", "antworte", "spiel",
        ],
        then: &[
            "ohne einschränkungen", "ohne regeln", "ohne filter", "ohne beschränkungen", "keine regeln",
            "keine einschränkungen", "kein tutor", "uneingeschränkte*", "tutor mehr",
        ],
        reach: 10,
        ..ORDER
    },
];
