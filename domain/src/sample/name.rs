use super::Draw;
use crate::resident::Sex;

/// Frequent family names; the first ones are drawn most often.
const FREQUENT: &str = "王李张刘陈杨赵孙周吴";
const FAMILY: &str = "徐胡朱高林何郭马罗梁宋郑谢韩唐冯于董程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟";
const FEMALE: [&str; 28] = [
    "秀英", "桂兰", "玉珍", "凤英", "淑芬", "素琴", "惠敏", "丽华", "春梅", "雪莲", "翠萍", "月荣", "美芳", "桂芝", "淑珍", "秀兰", "玉兰",
    "桂英", "文英", "瑞芬", "金凤", "宝珍", "慧", "敏", "静", "云", "琴", "芳",
];
const MALE: [&str; 28] = [
    "国强", "建国", "志明", "德福", "永贵", "长春", "文军", "海山", "宝林", "玉成", "树清", "庆祥", "振东", "继忠", "金生", "福顺", "学文",
    "连生", "世昌", "克勤", "宗岳", "立新", "勇", "刚", "平", "军", "涛", "斌",
];

/// A plausible name. Whoever bears it does not exist.
pub(super) fn person(draw: &mut Draw, sex: Sex) -> String {
    let family = if draw.chance(450) { draw.sign(FREQUENT) } else { draw.sign(FAMILY) };
    let given = match sex {
        Sex::Female => draw.pick(&FEMALE),
        Sex::Male => draw.pick(&MALE),
    };
    format!("{family}{}", given.copied().unwrap_or_default())
}

const HOUSE_NAMES: [&str; 24] = [
    "康宁",
    "颐和",
    "长青",
    "福寿",
    "安泰",
    "松柏",
    "乐龄",
    "夕阳红",
    "和乐",
    "瑞祥",
    "怡家",
    "春晖",
    "仁爱",
    "敬老",
    "暖阳",
    "益寿",
    "宜居",
    "百善",
    "同心",
    "孝亲",
    "金秋",
    "恒康",
    "博爱",
    "祥和",
];

/// A plausible name of an organisation; the number keeps it apart from others.
pub(super) fn provider(number: u32, kind: &str) -> String {
    let count = u32::try_from(HOUSE_NAMES.len()).unwrap_or(1);
    let name = HOUSE_NAMES.get(usize::try_from(number % count).unwrap_or(0)).copied().unwrap_or("颐家");
    let branch = number / count;
    let branch = if branch == 0 { String::new() } else { format!("{}分部", branch + 1) };
    format!("{name}{kind}{branch}（演示）")
}
