//! Who has which seat.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "day_care_seat")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub half: String,
    pub room_id: Uuid,
    pub day: Date,
    pub freed: bool,
}

impl ActiveModelBehavior for ActiveModel {}
