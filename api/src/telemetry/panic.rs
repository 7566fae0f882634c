//! What a panic leaves in the log.

use std::panic::PanicHookInfo;

/// Longest text of a panic that is logged, in characters.
const TEXT_MAX: usize = 200;

/// Logs where panics happen. A text that was put together at run time may hold personal values and stays out;
/// a literal of the program text is logged.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, text = literal(info), "panic");
    }));
}

fn literal(info: &PanicHookInfo<'_>) -> String {
    match info.payload().downcast_ref::<&'static str>() {
        Some(text) => text.chars().take(TEXT_MAX).collect(),
        None => "(not logged: made at run time)".to_owned(),
    }
}
