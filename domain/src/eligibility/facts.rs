//! What is known of a resident when eligibility is decided. Absent means not known, and never counts as yes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    assessment::Level,
    money::Fen,
    policy::FactValue,
    resident::{Category, DisabilityKind, LifeStatus, Living, Sex},
    time::BusinessDate,
};

/// Facts of one resident. Personal: encrypt at rest, keep out of logs.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Facts {
    /// Date of birth; age is reckoned from it in full years.
    pub birth_date: Option<BusinessDate>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Division of household registration (户籍), as many digits as are known.
    pub hukou: Option<String>,
    /// Division of residence, as many digits as are known.
    pub residence: Option<String>,
    /// Assessed ability level.
    pub level: Option<Level>,
    /// Recognised circumstances; an empty set is known to have none.
    pub categories: Option<BTreeSet<Category>>,
    /// With whom the resident lives.
    pub living: Option<Living>,
    /// Whether the resident can be served at home.
    pub status: Option<LifeStatus>,
    /// Disability grade, 1 (gravest) to 4.
    pub disability_grade: Option<u8>,
    /// Kind of disability.
    pub disability_kind: Option<DisabilityKind>,
    /// Monthly income per head of the household.
    pub income_month_fen: Option<Fen>,
    /// Facts that policies declare.
    pub declared: BTreeMap<String, FactValue>,
    /// Day from which start rules count.
    pub applied_on: Option<BusinessDate>,
    /// Day on which it was confirmed that the grounds have ceased.
    pub ended_on: Option<BusinessDate>,
}

/// Shows which facts are known, never their values.
impl std::fmt::Debug for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = [
            ("birth_date", self.birth_date.is_some()),
            ("sex", self.sex.is_some()),
            ("hukou", self.hukou.is_some()),
            ("residence", self.residence.is_some()),
            ("level", self.level.is_some()),
            ("categories", self.categories.is_some()),
            ("living", self.living.is_some()),
            ("status", self.status.is_some()),
            ("disability_grade", self.disability_grade.is_some()),
            ("disability_kind", self.disability_kind.is_some()),
            ("income_month_fen", self.income_month_fen.is_some()),
            ("applied_on", self.applied_on.is_some()),
            ("ended_on", self.ended_on.is_some()),
        ];
        let known = known.into_iter().filter_map(|(name, is_known)| is_known.then_some(name));
        f.debug_set().entries(known).entries(self.declared.keys()).finish()
    }
}
