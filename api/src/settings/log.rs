//! How much is logged, part by part.

use tracing_subscriber::filter::{LevelFilter, Targets};

use super::Unusable;

/// Parts of the product that a filter can name.
const PARTS: [&str; 6] = ["api", "domain", "i18n", "migrations", "store", "workers"];

/// A level for everything, and levels for single parts of the product: `info,store=debug`.
///
/// Libraries never log below `warn`, whatever is asked for: their finer levels can hold headers and statements
/// with personal values, which our own parts never log.
#[derive(Debug, Clone)]
pub struct LogFilter(Targets);

impl LogFilter {
    pub(super) fn parse(text: &str) -> Result<Self, Unusable> {
        let cure = "write a level (off, error, warn, info, debug, trace), and levels of parts after commas, such as info,store=debug";
        let level = |text: &str| level(text.trim()).ok_or_else(|| Unusable::new("holds an unknown level", cure));
        let mut general = None;
        let mut parts = Vec::new();
        for directive in text.split(',').map(str::trim) {
            match directive.split_once('=') {
                None if general.is_none() => general = Some(level(directive)?),
                None => return Err(Unusable::new("holds two levels for everything", cure)),
                Some((name, of_part)) => {
                    let part = PARTS.into_iter().find(|part| *part == name.trim() || name.trim().starts_with(&format!("{part}::")));
                    let unknown = || Unusable::new("names an unknown part", format!("the parts are {}", PARTS.join(", ")));
                    parts.push((part.map(|_| name.trim().to_owned()).ok_or_else(unknown)?, level(of_part)?));
                }
            }
        }
        let general = general.unwrap_or(LevelFilter::INFO);
        let targets = Targets::new().with_default(general.min(LevelFilter::WARN)).with_targets(PARTS.map(|part| (part, general)));
        Ok(Self(targets.with_targets(parts)))
    }

    /// All lines of our own parts, down to the finest.
    #[must_use]
    pub fn everything() -> Self {
        let level = LevelFilter::TRACE;
        Self(Targets::new().with_default(LevelFilter::WARN).with_targets(PARTS.map(|part| (part, level))))
    }

    /// The filter as the log reads it.
    #[must_use]
    pub fn targets(&self) -> Targets {
        self.0.clone()
    }
}

/// A level by its name. The library's own reader takes an empty text and bare numbers as well.
fn level(name: &str) -> Option<LevelFilter> {
    match name {
        "off" => Some(LevelFilter::OFF),
        "error" => Some(LevelFilter::ERROR),
        "warn" => Some(LevelFilter::WARN),
        "info" => Some(LevelFilter::INFO),
        "debug" => Some(LevelFilter::DEBUG),
        "trace" => Some(LevelFilter::TRACE),
        _ => None,
    }
}
