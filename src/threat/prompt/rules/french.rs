//! French.

use super::{ORDER, Rule};

pub(super) const RULES: [Rule; 3] = [
    Rule {
        first: &[
            "ignore", "ignorez", "ignorer", "oublie", "oubliez", "ne tiens pas compte", "ne tiens plus compte",
            "ne tenez pas compte", "ne tenez plus compte", "fais abstraction", "contourne", "désobéis",
        ],
        then: &["instructions", "consignes", "règles", "regles", "directives", "restrictions", "ordres"],
        with: &[
            "précédentes", "precedentes", "antérieures", "ci-dessus", "ci", "plus haut", "tes", "vos", "données",
            "initiales", "du système", "système", "reçues", "précédents",
        ],
        between: &["mes", "mon"],
        without: &["exercice", "devoir", "énoncé", "tp"],
        ..ORDER
    },
    Rule {
        first: &[
            "affiche", "affichez", "montre", "montrez", "révèle", "revele", "révélez", "donne", "dis", "répète",
            "repete", "écris", "quel est", "quelles sont", "imprime",
        ],
        then: &[
            "prompt système", "prompt systeme", "prompt du système", "ton prompt", "votre prompt",
            "instructions cachées", "instructions système", "tes instructions", "vos instructions", "message système",
            "consignes cachées", "tes consignes", "prompt initial",
        ],
        reach: 6,
        between: &["un", "mon"],
        ..ORDER
    },
    Rule {
        first: &[
            "tu es maintenant", "tu es désormais", "tu n'es plus", "vous êtes maintenant", "agis comme",
            "fais comme si", "réponds", "comporte-toi", "comporte",
        ],
        then: &[
            "sans restriction",
            "sans restrictions",
            "sans aucune restriction",
            "sans règles",
            "sans limite",
            "sans limites",
            "sans filtre",
            "sans filtres",
            "un tuteur",
            "aucune règle",
        ],
        reach: 10,
        ..ORDER
    },
];
