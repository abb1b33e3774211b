//! Portuguese.

use super::{ORDER, Rule};

pub(super) const RULES: [Rule; 3] = [
    Rule {
        first: &[
            "ignore", "ignora", "ignorem", "esqueça", "esqueca", "esquece", "esqueçam", "desconsidere", "desconsidera",
            "descarte", "desobedeça", "não siga", "pule",
        ],
        then: &[
            "instruções", "instrucoes", "regras", "orientações", "diretrizes", "ordens", "restrições", "comandos",
            "normas",
        ],
        with: &[
            "anteriores", "anterior", "suas", "tuas", "prévias", "acima", "do sistema", "iniciais", "originais",
            "recebidas", "que recebeu", "antigas",
        ],
        between: &["minhas", "minha"],
        without: &["tarefa", "exercício", "enunciado"],
        ..ORDER
    },
    Rule {
        first: &[
            "mostre", "mostra", "revele", "revela", "exiba", "diga", "imprima", "repita", "escreva", "qual é",
            "quais são", "me mostre", "me diga", "forneça",
        ],
        then: &[
            "prompt de sistema",
            "prompt do sistema",
            "seu prompt",
            "teu prompt",
            "suas instruções",
            "tuas instruções",
            "instruções ocultas",
            "instruções do sistema",
            "mensagem do sistema",
            "instruções secretas",
            "prompt inicial",
            "suas regras internas",
        ],
        reach: 6,
        between: &["um", "meu"],
        ..ORDER
    },
    Rule {
        first: &[
            "agora você é",
            "agora voce é",
            "agora és",
            "você é agora",
            "você não é mais",
            "aja como",
            "finja",
            "responda",
            "comporte se",
            "a partir de agora você é",
        ],
        then: &[
            "sem restrições", "sem regras", "sem limites", "sem filtros", "sem censura", "um tutor",
            "nenhuma restrição",
        ],
        reach: 10,
        ..ORDER
    },
];
