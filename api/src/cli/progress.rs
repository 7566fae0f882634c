//! How far a long command has come, on a terminal.

use std::io::{self, IsTerminal as _, Write as _};

/// Signs of a whole bar.
const WIDTH: u32 = 30;

/// Shows a bar on standard error while a command goes on; nothing where that is no terminal.
pub fn bar(what: &'static str) -> impl Fn(u32, u32) + Send {
    let shown = io::stderr().is_terminal();
    move |done, all| {
        if shown {
            let end = if done >= all { "\n" } else { "" };
            // Whether anybody sees it changes nothing.
            drop(write!(io::stderr(), "\r{}{end}", drawn(what, done, all)));
        }
    }
}

fn drawn(what: &str, done: u32, all: u32) -> String {
    let filled = WIDTH * done.min(all) / all.max(1);
    let signs: String = (0..WIDTH).map(|place| if place < filled { '#' } else { '.' }).collect();
    format!("{what} [{signs}] {done}/{all}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills_from_nothing_to_all() {
        assert_eq!(drawn("rows", 0, 4), "rows [..............................] 0/4");
        assert_eq!(drawn("rows", 2, 4), "rows [###############...............] 2/4");
        assert_eq!(drawn("rows", 4, 4), "rows [##############################] 4/4");
        assert_eq!(drawn("rows", 0, 0), "rows [..............................] 0/0");
    }
}
