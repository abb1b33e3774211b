//! Spanish.

use super::{ORDER, Rule};

pub(super) const RULES: [Rule; 3] = [
    Rule {
        first: &[
            "ignora", "ignore", "ignorad", "olvida", "olvide", "olvídate", "omite", "descarta", "desobedece",
            "sáltate", "haz caso omiso", "no hagas caso",
        ],
        then: &[
            "instrucciones", "reglas", "indicaciones", "órdenes", "ordenes", "normas", "directrices", "restricciones",
            "directivas",
        ],
        with: &[
            "anteriores", "previas", "tus", "sus", "vuestras", "iniciales", "originales", "recibidas", "anterior",
            "de arriba", "del sistema", "que te dieron", "que tienes",
        ],
        between: &["mis", "mi"],
        without: &["tarea", "ejercicio", "enunciado", "práctica"],
        ..ORDER
    },
    Rule {
        first: &[
            "muestra", "muéstrame", "muestrame", "mostrar", "revela", "revélame", "dime", "enseña", "enséñame",
            "imprime", "repite", "escribe", "dame", "cuál es", "cual es",
        ],
        then: &[
            "prompt del sistema",
            "prompt de sistema",
            "tu prompt",
            "mensaje del sistema",
            "instrucciones ocultas",
            "instrucciones del sistema",
            "instrucciones internas",
            "instrucciones secretas",
            "tus instrucciones",
            "tus reglas internas",
            "prompt inicial",
            "prompt oculto",
        ],
        reach: 6,
        between: &["un", "mi"],
        ..ORDER
    },
    Rule {
        first: &[
            "ahora eres", "eres ahora", "ya no eres", "actúa como", "actua como", "finge", "responde", "compórtate",
            "a partir de ahora eres",
        ],
        then: &[
            "sin restricciones", "sin reglas", "sin límites", "sin limites", "sin filtros", "sin censura", "un tutor",
            "ninguna restricción",
        ],
        reach: 10,
        ..ORDER
    },
];
