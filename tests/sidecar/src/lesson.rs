//! What the canned agents say.

/// One agent's answer, the same for every question.
#[derive(Debug)]
pub(crate) struct Lesson {
    /// The answer, as an agent would write it to a student.
    pub(crate) text: &'static str,
    /// What the student may do next.
    pub(crate) next_steps: &'static [&'static str],
}

pub(crate) const DEBUG: Lesson = Lesson {
    text: "Error messages are worth reading from the bottom up: the last line says what went wrong, the line above it \
           says where. Look at that line of your program first, then at the one before it. A missing colon, bracket or \
           quote is often reported one line too late. Change one thing, run it again, and see whether the message \
           moves: if it does, you are getting closer.",
    next_steps: &[
        "copy the last line of the error message",
        "check the line before the one it names",
        "run it again",
    ],
};

pub(crate) const CONCEPTS: Lesson = Lesson {
    text: "Let us take it in small steps. Every idea in programming answers a need, so ask first what would be hard \
           without it. Then look at the smallest example that works, change a single value, and predict what it prints \
           before you run it. When your prediction is right three times in a row, you have understood it; when it is \
           wrong, you have found the interesting part.",
    next_steps: &[
        "write the smallest example",
        "predict its output",
        "explain it to somebody in two sentences",
    ],
};

pub(crate) const EXERCISE: Lesson = Lesson {
    text: "Here is one to try. Write a function that takes a list of numbers and returns the two that lie closest \
           together. Begin with a list of three and do it by hand; then let the computer compare every pair. Once it \
           works, think about what sorting the list first would save you. Send me your solution, also when it is only \
           half done.",
    next_steps: &["solve it for three numbers", "test an empty list", "make it faster by sorting"],
};

pub(crate) const PROGRESS: Lesson = Lesson {
    text: "You are moving along well. The topics you finished hold, and the last exercises took you fewer attempts than \
           the ones before. Where answers still come slowly is where practice pays most, so a short session there beats \
           a long one on what you can do already. Keep the rhythm you have: a little, often.",
    next_steps: &["repeat the topic with the lowest score", "set a goal for this week"],
};

pub(crate) const REVIEW: Lesson = Lesson {
    text: "I want to be sure that I understand you before I send you to the right tutor. Are you stuck on an error, \
           would you like something explained, do you want an exercise, or shall we look at how you are doing? One \
           sentence about what you tried and what you expected is enough, and a line of code often says more than ten \
           words.",
    next_steps: &["say which of the four it is", "add the code or the message you see"],
};
