//! Creating requests: one effect per key.

use serde::{Serialize, de::DeserializeOwned};
use store::{Answer, Command};

use crate::{
    extract::{IdempotencyKey, RequestCtx, Valid},
    problem::Problem,
    state::AppState,
};

/// Runs a creating command at most once per key, and gives its answer the form of the API.
pub(super) async fn once<C, T, R>(
    state: &AppState,
    who: RequestCtx,
    key: IdempotencyKey,
    body: &Valid<R>,
    command: C,
) -> Result<Answer<T>, Problem>
where
    C: Command,
    C::Output: Serialize + DeserializeOwned,
    T: From<C::Output>,
{
    let (key, request) = key.stand_for(&body.raw);
    let answer = state.store.write_once(who.ctx, key, &request, command).await?;
    Ok(Answer { value: answer.value.into(), replayed: answer.replayed })
}
