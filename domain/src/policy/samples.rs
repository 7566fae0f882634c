//! Policies that tests of several rooms use.

use super::Policy;

/// The worked example: half the price of bathing, at most 800.00 a month, city and district 1 : 1.
pub(crate) const BATHING: &str = r#"
format = 1
programme = "sample-bathing"
version = "v1"
title = { zh = "助浴补贴", en = "Bathing subsidy" }
division = "1201"
effective_from = 2026-01-01
order_of_use = 10
rounding = "half_up"

[source]
name = "Worked example"
knowledge = "confirmed"

[facts]
needs_care = { of = "resident", kind = "bool" }
pension_fen = { of = "resident", kind = "int" }
hukou_kind = { of = "resident", kind = "text", values = ["urban", "rural"] }

[requires]
age_min = 60
level_min = 1

[[funds]]
code = "city"
title = { zh = "市级", en = "City" }
weight = 1

[[funds]]
code = "district"
title = { zh = "区级", en = "District" }
weight = 1

[[benefits]]
code = "bathing"
title = { zh = "助浴", en = "Bathing" }
unit = "fen"
window = "month"
amount = 80000
items = ["bathing"]
classes = ["home"]
share_percent = 50
share_of = "own_paid"
"#;

/// The rules of Shenyang in 2025: shares with caps by service, and an assessment fee that is covered once.
pub(crate) const SHENYANG: &str = r#"
format = 1
programme = "national-voucher-shenyang"
version = "v2025"
title = { zh = "养老服务消费补贴（沈阳）", en = "Voucher (Shenyang)" }
division = "2101"
effective_from = 2025-07-01
effective_until = 2026-07-01
order_of_use = 90
rounding = "half_up"

[source]
name = "养老服务消费补贴试点（沈阳）"
number = "民发〔2025〕37号"
knowledge = "reported"

[requires]
age_min = 60
level_min = 2

[[funds]]
code = "public"
title = { zh = "财政", en = "Public funds" }
percent = 100

[[benefits]]
code = "home"
title = { zh = "上门服务", en = "Home visits" }
unit = "fen"
window = "month"
amount = 50000
items = ["meal", "bathing", "cleaning", "mobility", "emergency", "medical_escort", "rehabilitation"]
classes = ["home"]
share_percent = 40
share_of = "price"

[[benefits]]
code = "day-care"
title = { zh = "日间托养", en = "Day care" }
unit = "fen"
window = "month"
amount = 80000
items = ["day_care"]
classes = ["community"]
share_percent = 40
share_of = "price"

[[benefits]]
code = "assessment"
title = { zh = "评估费", en = "Assessment fee" }
unit = "visits"
window = "never"
amount = 1
items = ["assessment"]
classes = ["home", "community"]
share_percent = 100
share_of = "price"
use_cap_fen = 10000
"#;

/// The meal rules of Tianjin in 2019: lunch on working days.
pub(crate) const MEALS_2019: &str = r#"
format = 1
programme = "tianjin-meals"
version = "v2019"
title = { zh = "天津市老年人助餐补贴", en = "Tianjin meal subsidy" }
division = "12"
effective_from = 2019-07-01
effective_until = 2022-07-01
order_of_use = 5
rounding = "half_up"

[source]
name = "天津市老年人助餐补贴规定（2019年）"
knowledge = "reported"

[facts]
meal = { of = "visit", kind = "text", values = ["breakfast", "lunch", "dinner"] }
standard_price_fen = { of = "visit", kind = "int" }

[requires]
age_min = 80

[[funds]]
code = "public"
title = { zh = "财政", en = "Public funds" }
percent = 100

[[benefits]]
code = "meals"
title = { zh = "助餐", en = "Meals" }
unit = "meals"
window = "week"
amount = 5
items = ["meal"]
classes = ["home", "community"]
per_unit_fen = 300
per_day_max = 1
meals = ["lunch"]
working_days_only = true
standard_price = true
"#;

/// Hours a month: a quota in minutes, city and town 3 : 2, half a fen to the even neighbour.
pub(crate) const HOURS: &str = r#"
format = 1
programme = "sample-hours"
version = "v1"
title = { zh = "居家服务时长", en = "Hours of home service" }
division = "32"
effective_from = 2026-01-01
order_of_use = 1
rounding = "half_even"

[source]
name = "Sample of hours a month"
knowledge = "confirmed"

[[funds]]
code = "city"
title = { zh = "市级", en = "City" }
weight = 3

[[funds]]
code = "town"
title = { zh = "镇级", en = "Town" }
weight = 2

[[benefits]]
code = "hours"
title = { zh = "服务时长", en = "Hours" }
unit = "minutes"
window = "month"
amount = 180
items = ["cleaning", "bathing"]
classes = ["home"]
share_percent = 100
share_of = "price"
"#;

pub(crate) fn policy(text: &str) -> Policy {
    match Policy::parse("sample.toml", text) {
        Ok(policy) => policy,
        Err(faults) => panic!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}

/// A shipped policy by the name of its file.
pub(crate) fn shipped(file: &str) -> Policy {
    Policy::shipped().unwrap().into_iter().find(|policy| policy.file() == file).unwrap()
}
