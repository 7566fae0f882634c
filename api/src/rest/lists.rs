//! Lists: bounded pages, each with the cursor of the next.

pub(crate) mod applications;
pub(crate) mod deliveries;
pub(crate) mod flags;
pub(crate) mod orders;
pub(crate) mod providers;
pub(crate) mod residents;
pub(crate) mod settlement;

use serde::Serialize;
use store::query::list::{Page, PageAsked};
use utoipa::ToSchema;

/// Some entries of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PageResponse<T> {
    items: Vec<T>,
    /// Ask for the next page with it and the same filter; absent at the end.
    next_cursor: Option<String>,
}

impl<R, T: From<R>> From<Page<R>> for PageResponse<T> {
    fn from(page: Page<R>) -> Self {
        Self { items: page.items.into_iter().map(T::from).collect(), next_cursor: page.next_cursor }
    }
}

fn asked(limit: Option<u64>, cursor: Option<String>) -> PageAsked {
    PageAsked { limit, cursor }
}
