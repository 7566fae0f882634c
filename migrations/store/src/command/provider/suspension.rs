//! What a suspension does to the orders that were to be served: each is taken from the provider in a transaction of its
//! own, so that a long list holds no lock for long.

use domain::{
    access::Action,
    id::{OrderId, ProviderId},
    order::{DeclineReason, OrderState, OrderTrigger},
    provider::ProviderStatus,
};

use crate::{command::order, convert, error::StoreError, tx::Tx, write::Command};

/// Takes an order from a provider that may serve no longer, and asks the next one. What has begun is finished and judged; where
/// nobody is left to be asked, nobody pays and the holds go back.
#[derive(Debug, Clone)]
pub struct TakeOrderAway {
    /// The order.
    pub order: OrderId,
    /// The provider.
    pub provider: ProviderId,
}

impl Command for TakeOrderAway {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "take_order_away";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let locked = order::lock(tx, self.order).await?;
        let provider = super::read(tx, self.provider).await?;
        let status: ProviderStatus = convert::code("provider", "state", &provider.state)?;
        // The suspension was lifted before this order's turn came: it stays where it is.
        if status == ProviderStatus::Admitted {
            return Ok(());
        }
        match locked.state()? {
            OrderState::Offered => order::withdraw_offer(tx, &locked, self.provider).await,
            OrderState::Accepted | OrderState::Assigned if locked.order.provider_id == self.provider.uuid() => {
                order::take_back(tx, &locked, DeclineReason::MayNotServe, OrderTrigger::Decline).await?;
                Ok(())
            }
            // Whoever is asked first is chosen when it is offered, and a suspended provider is passed over.
            OrderState::Requested
            | OrderState::Accepted
            | OrderState::Assigned
            | OrderState::InService
            | OrderState::Completed
            | OrderState::Confirmed
            | OrderState::Disputed
            | OrderState::DisputeDecided
            | OrderState::Declined
            | OrderState::Expired
            | OrderState::Cancelled
            | OrderState::Missed => Ok(()),
        }
    }
}
