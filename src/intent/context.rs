//! What is known about the student tips a close call, and never a clear one.
//!
//! Scores and history are weak evidence: a student with low quiz scores asks for explanations a
//! little more often, a second question in a row tends to be of the first one's kind. So each
//! circumstance adds a fraction of a log-odd, their sum per label is capped, and nothing is added
//! once the best label leads by more than [`CLOSE`].

use super::label::Intent;

/// A lead, in log-odds, above which circumstances no longer count.
pub const CLOSE: f64 = 0.9;
/// The most that circumstances together add to one label.
const CAP: f64 = 0.4;

/// The agent a student was working with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentSource {
    /// The concepts agent.
    Concepts,
    /// The review agent.
    Review,
    /// The debug agent.
    Debug,
    /// The exercise agent.
    Exercise,
    /// The progress agent.
    Progress,
}

impl AgentSource {
    /// The source of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "concepts" => Self::Concepts,
            "review" => Self::Review,
            "debug" => Self::Debug,
            "exercise" => Self::Exercise,
            "progress" => Self::Progress,
            _ => return None,
        })
    }
}

/// The circumstances of a message; scores lie in 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Context {
    /// The agent the student was working with.
    pub agent_source: Option<AgentSource>,
    /// How much of the exercise is done.
    pub completion_score: Option<f64>,
    /// Result of the last quizzes.
    pub quiz_score: Option<f64>,
    /// Quality of the code handed in.
    pub quality_score: Option<f64>,
    /// How regularly the student works.
    pub consistency_score: Option<f64>,
    /// What the message before this one wanted.
    pub previous_intent: Option<Intent>,
    /// Messages before this one in the conversation.
    pub turn_number: Option<u32>,
}

impl Context {
    /// Adds what the circumstances say to `logits`, if the call is close.
    #[must_use]
    pub fn shift(&self, logits: [f64; 5]) -> [f64; 5] {
        if *self == Self::default() || lead(&logits) > CLOSE {
            return logits;
        }
        let mut shifted = logits;
        for (logit, label) in shifted.iter_mut().zip(Intent::ALL) {
            *logit += self.favour(label).clamp(-CAP, CAP);
        }
        shifted
    }

    /// What the circumstances say for `label`, in log-odds.
    fn favour(&self, label: Intent) -> f64 {
        self.for_source(label) + self.for_previous(label) + self.for_scores(label)
    }

    fn for_source(&self, label: Intent) -> f64 {
        match (self.agent_source, label) {
            (Some(AgentSource::Concepts), Intent::ConceptExplanation)
            | (Some(AgentSource::Debug | AgentSource::Exercise), Intent::SyntaxHelp)
            | (Some(AgentSource::Progress), Intent::ProgressCheck) => 0.15,
            _ => 0.0,
        }
    }

    fn for_previous(&self, label: Intent) -> f64 {
        let under_way = self.turn_number.is_none_or(|turn| turn > 0);
        if under_way && self.previous_intent == Some(label) && label != Intent::None { 0.2 } else { 0.0 }
    }

    fn for_scores(&self, label: Intent) -> f64 {
        let low = |score: Option<f64>| score.is_some_and(|s| s < 0.4);
        let high = |score: Option<f64>| score.is_some_and(|s| s > 0.9);
        match label {
            Intent::ConceptExplanation if low(self.quiz_score) => 0.1,
            Intent::SyntaxHelp if low(self.quality_score) || low(self.completion_score) => 0.1,
            Intent::ExerciseRequest if high(self.completion_score) => 0.1,
            Intent::ProgressCheck if high(self.consistency_score) => 0.05,
            _ => 0.0,
        }
    }
}

/// How far the best label is ahead of the second.
fn lead(logits: &[f64; 5]) -> f64 {
    let (mut first, mut second) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    for &logit in logits {
        if logit > first {
            second = first;
            first = logit;
        } else if logit > second {
            second = logit;
        }
    }
    first - second
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CLOSE_CALL: [f64; 5] = [1.0, 1.0, 1.0, 1.0, 1.0];

    /// What the circumstances add to each label in a close call.
    fn added(context: Context) -> [f64; 5] {
        context.shift(CLOSE_CALL).map(|logit| ((logit - 1.0) * 1_000.0).round() / 1_000.0)
    }

    #[test]
    fn each_circumstance_speaks_for_its_label() {
        let none = Context::default();
        let from = |name| Context { agent_source: AgentSource::from_name(name), ..none };
        for (context, expected) in [
            (none, [0.0; 5]),
            (from("debug"), [0.15, 0.0, 0.0, 0.0, 0.0]),
            (from("exercise"), [0.15, 0.0, 0.0, 0.0, 0.0]),
            (from("concepts"), [0.0, 0.15, 0.0, 0.0, 0.0]),
            (from("progress"), [0.0, 0.0, 0.0, 0.15, 0.0]),
            (from("review"), [0.0; 5]),
            (from("nobody"), [0.0; 5]),
            (Context { quiz_score: Some(0.1), ..none }, [0.0, 0.1, 0.0, 0.0, 0.0]),
            (Context { quiz_score: Some(0.4), ..none }, [0.0; 5]),
            (Context { quality_score: Some(0.0), ..none }, [0.1, 0.0, 0.0, 0.0, 0.0]),
            (Context { completion_score: Some(0.3), ..none }, [0.1, 0.0, 0.0, 0.0, 0.0]),
            (Context { completion_score: Some(1.0), ..none }, [0.0, 0.0, 0.1, 0.0, 0.0]),
            (Context { consistency_score: Some(0.95), ..none }, [0.0, 0.0, 0.0, 0.05, 0.0]),
            (Context { previous_intent: Some(Intent::ExerciseRequest), ..none }, [0.0, 0.0, 0.2, 0.0, 0.0]),
            (Context { previous_intent: Some(Intent::None), ..none }, [0.0; 5]),
        ] {
            assert_eq!(added(context), expected, "{context:?}");
        }
    }

    #[test]
    fn the_first_message_of_a_conversation_has_none_before_it() {
        let before = Some(Intent::SyntaxHelp);
        let at = |turn| Context { previous_intent: before, turn_number: Some(turn), ..Context::default() };
        assert_eq!(added(at(0)), [0.0; 5]);
        assert_eq!(added(at(1))[0], 0.2);
    }

    #[test]
    fn a_clear_call_stands_and_no_label_gains_more_than_the_cap() {
        let all = Context {
            agent_source: Some(AgentSource::Debug),
            quality_score: Some(0.0),
            previous_intent: Some(Intent::SyntaxHelp),
            ..Context::default()
        };
        assert_eq!(added(all)[0], CAP);
        let clear = [0.0, 1.0, 0.0, 0.0, 0.0];
        assert_eq!(all.shift(clear), clear);
        let close = [0.0, 0.8, 0.0, 0.0, 0.0];
        assert_ne!(all.shift(close), close);
    }

    prop_compose! {
        fn circumstances()(
            source in prop::sample::select(vec!["concepts", "review", "debug", "exercise", "progress", "none"]),
            scores in prop::array::uniform4(prop::option::of(0.0..=1.0)),
            previous in prop::option::of(0_u8..5),
            turn_number in prop::option::of(any::<u32>()),
        ) -> Context {
            let [completion_score, quiz_score, quality_score, consistency_score] = scores;
            Context {
                agent_source: AgentSource::from_name(source),
                completion_score,
                quiz_score,
                quality_score,
                consistency_score,
                previous_intent: previous.map(Intent::from_number),
                turn_number,
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_the_circumstances_a_clear_call_stands(
            context in circumstances(),
            logits in prop::array::uniform5(-12.0..12.0),
        ) {
            let shifted = context.shift(logits);
            if lead(&logits) > CLOSE {
                prop_assert_eq!(shifted, logits);
            }
            for (before, after) in logits.iter().zip(shifted) {
                prop_assert!((after - before).abs() <= CAP + 1e-9);
            }
        }
    }
}
