//! The words of a page.

use i18n::Locale;

/// The texts of one language, as templates ask for them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words(pub(crate) Locale);

impl Words {
    /// The text of a key. A key without text stays visible as itself; a test keeps templates free of such.
    pub(crate) fn get(self, key: &str) -> String {
        i18n::text(self.0, key).map_or_else(|| key.to_owned(), Into::into)
    }

    /// The language tag.
    pub(crate) fn tag(self) -> &'static str {
        self.0.tag()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_every_template_has_a_text_in_every_language() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let mut keys = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            for part in text.split("words.get(\"").skip(1) {
                let key = part.split('"').next().unwrap();
                keys += 1;
                for locale in Locale::ALL {
                    assert!(i18n::text(locale, key).is_some(), "{locale}: write the text {key}");
                }
            }
        }
        assert!(keys > 5, "the templates name their texts otherwise now");
    }
}
