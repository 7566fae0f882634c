use serde::{Deserialize, Serialize};

/// The four first-level indicators of GB/T 42195-2022, annex B.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::EnumIter, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Group {
    /// B.1 自理能力
    SelfCare,
    /// B.2 基础运动能力
    Mobility,
    /// B.3 精神状态
    MentalState,
    /// B.4 感知觉与社会参与
    Participation,
}

impl Group {
    /// All four, in the order of the standard.
    pub const ALL: [Self; 4] = [Self::SelfCare, Self::Mobility, Self::MentalState, Self::Participation];

    /// Chinese name.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Self::SelfCare => "自理能力",
            Self::Mobility => "基础运动能力",
            Self::MentalState => "精神状态",
            Self::Participation => "感知觉与社会参与",
        }
    }

    /// English name.
    #[must_use]
    pub const fn en(self) -> &'static str {
        match self {
            Self::SelfCare => "Self-care",
            Self::Mobility => "Basic mobility",
            Self::MentalState => "Mental state",
            Self::Participation => "Perception and social participation",
        }
    }

    /// The highest sum of its items.
    #[must_use]
    pub fn max(self) -> u8 {
        ITEMS.iter().filter(|item| item.group == self).map(|item| item.max).sum()
    }
}

/// One of the 26 second-level indicators. Its scores are the whole numbers from 0 (wholly dependent) to `max`
/// (able).
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Number in the standard, such as `B.1.1`.
    pub code: &'static str,
    /// The indicator to whose sub-total it counts.
    pub group: Group,
    /// Highest score.
    pub max: u8,
    /// Chinese name.
    pub zh: &'static str,
    /// English name.
    pub en: &'static str,
}

impl Item {
    /// The item with this code.
    #[must_use]
    pub fn find(code: &str) -> Option<&'static Self> {
        ITEMS.iter().find(|item| item.code == code)
    }

    /// What may be written, such as `write 0 to 4`.
    pub(super) fn cure(&self) -> String {
        format!("write 0 to {}", self.max)
    }
}

const fn item(code: &'static str, group: Group, max: u8, zh: &'static str, en: &'static str) -> Item {
    Item { code, group, max, zh, en }
}

/// The items of GB/T 42195-2022, table B.1 to B.4, in its order; the highest scores add up to 90.
pub static ITEMS: [Item; 26] = [
    item("B.1.1", Group::SelfCare, 4, "进食", "Eating"),
    item("B.1.2", Group::SelfCare, 4, "修饰", "Grooming"),
    item("B.1.3", Group::SelfCare, 4, "洗澡", "Bathing"),
    item("B.1.4", Group::SelfCare, 4, "穿/脱上衣", "Dressing the upper body"),
    item("B.1.5", Group::SelfCare, 4, "穿/脱裤子和鞋袜", "Dressing the lower body"),
    item("B.1.6", Group::SelfCare, 4, "小便控制", "Bladder control"),
    item("B.1.7", Group::SelfCare, 4, "大便控制", "Bowel control"),
    item("B.1.8", Group::SelfCare, 4, "如厕", "Toileting"),
    item("B.2.1", Group::Mobility, 4, "床上体位转移", "Moving in bed"),
    item("B.2.2", Group::Mobility, 4, "床椅转移", "Moving between bed and chair"),
    item("B.2.3", Group::Mobility, 4, "平地行走", "Walking on level ground"),
    item("B.2.4", Group::Mobility, 3, "上下楼梯", "Climbing stairs"),
    item("B.3.1", Group::MentalState, 4, "时间定向", "Orientation in time"),
    item("B.3.2", Group::MentalState, 4, "空间定向", "Orientation in place"),
    item("B.3.3", Group::MentalState, 4, "人物定向", "Recognition of persons"),
    item("B.3.4", Group::MentalState, 4, "记忆", "Memory"),
    item("B.3.5", Group::MentalState, 4, "理解能力", "Comprehension"),
    item("B.3.6", Group::MentalState, 4, "表达能力", "Expression"),
    item("B.3.7", Group::MentalState, 1, "攻击行为", "Aggression"),
    item("B.3.8", Group::MentalState, 1, "抑郁症状", "Depressive symptoms"),
    item("B.3.9", Group::MentalState, 2, "意识水平", "Consciousness"),
    item("B.4.1", Group::Participation, 2, "视力", "Vision"),
    item("B.4.2", Group::Participation, 2, "听力", "Hearing"),
    item("B.4.3", Group::Participation, 4, "执行日常事务", "Everyday tasks"),
    item("B.4.4", Group::Participation, 3, "使用交通工具外出", "Going out by transport"),
    item("B.4.5", Group::Participation, 4, "社会交往能力", "Social contact"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_scores_add_up_as_the_standard_says() {
        assert_eq!(Group::ALL.map(Group::max), [32, 15, 28, 15]);
        assert_eq!(ITEMS.iter().map(|item| item.max).sum::<u8>(), 90);
    }

    #[test]
    fn codes_are_numbered_within_their_group() {
        for (place, group) in Group::ALL.into_iter().enumerate() {
            for (number, item) in ITEMS.iter().filter(|item| item.group == group).enumerate() {
                assert_eq!(item.code, format!("B.{}.{}", place + 1, number + 1));
                assert_eq!(Item::find(item.code), Some(item));
            }
        }
        assert_eq!(Item::find("B.1.9"), None);
    }
}
