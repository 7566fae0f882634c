//! The declared codes of a resident's facts, as files, the API and policies write them.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter, strum::IntoStaticStr)]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }
    };
}

codes! {
    /// A recognised circumstance that policies refer to.
    Category {
        /// 低保: minimum living guarantee.
        Dibao,
        /// 低收入、低保边缘.
        LowIncome,
        /// 特困供养.
        Tekun,
        /// 优抚对象.
        VeteranCare,
        /// 计划生育特殊家庭.
        FamilyPlanningSpecial,
        /// 独生子女父母.
        OnlyChildParent,
        /// 无子女、孤寡.
        Childless,
        /// 劳动模范.
        ModelWorker,
        /// 重度残疾.
        SevereDisability,
    }
}

codes! {
    /// With whom the resident lives.
    Living {
        /// 独居.
        Alone,
        /// 空巢.
        EmptyNest,
        /// 留守.
        LeftBehind,
        /// With the spouse.
        WithSpouse,
        /// With other family.
        WithFamily,
        /// In an institution.
        Institution,
    }
}

codes! {
    /// Whether the resident can be served at home.
    LifeStatus {
        /// At home.
        Alive,
        /// In hospital.
        Hospital,
        /// In an institution.
        Institution,
        /// Moved out of the city.
        Moved,
        /// Dead.
        Dead,
    }
}

codes! {
    /// Sex as the identity document states it.
    Sex {
        /// 男.
        Male,
        /// 女.
        Female,
    }
}

codes! {
    /// Kind of a recognised disability.
    DisabilityKind {
        /// 视力.
        Vision,
        /// 听力.
        Hearing,
        /// 言语.
        Speech,
        /// 肢体.
        Limb,
        /// 智力.
        Intellect,
        /// 精神.
        Mental,
        /// 多重.
        Multiple,
    }
}
