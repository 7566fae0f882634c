//! Amounts, dates and times as people read them. Dates and times are those of China Standard Time, whatever
//! the language; files and the API use the forms of `domain` instead.

use domain::{
    money::Fen,
    time::{BusinessDate, Instant, Month, shanghai},
};

use crate::Locale;

/// An amount in yuan: `1,120.00元`, `¥1,120.00`.
#[must_use]
pub fn money(locale: Locale, amount: Fen) -> String {
    let plain = amount.to_string();
    let (yuan, cents) = plain.split_once('.').unwrap_or((&plain, "00"));
    let yuan = group_thousands(yuan);
    match locale {
        Locale::ZhCn => format!("{yuan}.{cents}元"),
        Locale::En => format!("¥{yuan}.{cents}"),
    }
}

/// A date: `2026年11月23日`, `23 Nov 2026`.
#[must_use]
pub fn date(locale: Locale, date: BusinessDate) -> String {
    let pattern = match locale {
        Locale::ZhCn => "%Y年%-m月%-d日",
        Locale::En => "%-d %b %Y",
    };
    date.get().format(pattern).to_string()
}

/// A month: `2026年11月`, `Nov 2026`.
#[must_use]
pub fn month(locale: Locale, month: Month) -> String {
    let pattern = match locale {
        Locale::ZhCn => "%Y年%-m月",
        Locale::En => "%b %Y",
    };
    month.first_day().get().format(pattern).to_string()
}

/// The time of day of an instant, to the minute, on the 24-hour clock: `09:30`.
#[must_use]
pub fn time_of_day(instant: Instant) -> String {
    instant.with_timezone(&shanghai()).format("%H:%M").to_string()
}

/// Date and time of an instant, to the minute: `2026年11月23日 09:30`, `23 Nov 2026, 09:30`.
#[must_use]
pub fn instant(locale: Locale, instant: Instant) -> String {
    let (day, time) = (date(locale, BusinessDate::of(instant)), time_of_day(instant));
    match locale {
        Locale::ZhCn => format!("{day} {time}"),
        Locale::En => format!("{day}, {time}"),
    }
}

/// Writes a comma before each third digit from the right.
fn group_thousands(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len().saturating_mul(2));
    for (place, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(place);
        if place > 0 && left.is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_shows_both_decimals_and_groups_of_three_digits() {
        for (fen, chinese, english) in [
            (0, "0.00元", "¥0.00"),
            (5, "0.05元", "¥0.05"),
            (12_000, "120.00元", "¥120.00"),
            (99_999, "999.99元", "¥999.99"),
            (100_000, "1,000.00元", "¥1,000.00"),
            (12_345_678, "123,456.78元", "¥123,456.78"),
            (123_456_789, "1,234,567.89元", "¥1,234,567.89"),
        ] {
            let amount = Fen::new(fen).unwrap();
            assert_eq!(money(Locale::ZhCn, amount), chinese);
            assert_eq!(money(Locale::En, amount), english);
        }
    }

    #[test]
    fn dates_and_months_follow_the_language() {
        let day: BusinessDate = "2026-11-03".parse().unwrap();
        assert_eq!(date(Locale::ZhCn, day), "2026年11月3日");
        assert_eq!(date(Locale::En, day), "3 Nov 2026");
        assert_eq!(month(Locale::ZhCn, day.month()), "2026年11月");
        assert_eq!(month(Locale::En, day.month()), "Nov 2026");
    }

    #[test]
    fn instants_are_shown_in_chinese_time_in_every_language() {
        let late: Instant = "2026-12-31T16:05:59.999999Z".parse().unwrap();
        assert_eq!(instant(Locale::ZhCn, late), "2027年1月1日 00:05");
        assert_eq!(instant(Locale::En, late), "1 Jan 2027, 00:05");
        assert_eq!(time_of_day(late), "00:05");
    }
}
