//! The sample city on 10 November 2026, with its programme in force and nothing booked: a stage for money.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    catalogue::{ItemCode, Quantity, ServiceClass},
    id::{OrderId, ProviderId, ResidentId},
    money::Fen,
    order::OfferMode,
    time::{Instant, parse_instant},
};
use store::{
    Store, StoreError,
    command::{
        application::EndNotice,
        order::{ConfirmOrder, OrderStep, PassDeadline, PlaceOrder},
        policy::{DraftPolicy, PublishPolicy, SetBudget},
        quote::{QuoteView, RequestQuote},
        visit::ClockKind,
    },
    query::resident::EntitlementView,
    write::Command,
};

use crate::{
    city::{People, Proof, SampleCity},
    db::TestDb,
};

/// A city in which one resident books cleaning by the hour.
#[derive(Debug)]
pub struct Market<'a> {
    db: &'a TestDb,
    city: SampleCity<'a>,
}

fn system() -> domain::access::Actor {
    domain::access::Actor::System("test")
}

impl<'a> Market<'a> {
    /// Opens it.
    ///
    /// # Errors
    /// Whatever a command refuses.
    pub async fn open(db: &'a TestDb) -> anyhow::Result<Self> {
        let mut city = SampleCity::prepare(db).await?;
        city.entitle().await?;
        Ok(Self { db, city })
    }

    /// Its store.
    #[must_use]
    pub const fn store(&self) -> &Store {
        self.city.store()
    }

    /// Who lives and works in it.
    #[must_use]
    pub const fn people(&self) -> &People {
        &self.city.people
    }

    /// The resident.
    #[must_use]
    pub const fn resident(&self) -> ResidentId {
        self.city.resident
    }

    /// The provider.
    #[must_use]
    pub const fn provider(&self) -> ProviderId {
        self.city.provider
    }

    /// Moves the clock.
    ///
    /// # Errors
    /// No such time.
    pub fn set_clock(&self, text: &str) -> anyhow::Result<Instant> {
        let now = parse_instant(text)?;
        self.db.clock().set(now);
        Ok(now)
    }

    /// Runs a command and gives its refusal as it is.
    ///
    /// # Errors
    /// Whatever the command refuses.
    pub async fn try_run<C: Command>(&self, actor: &domain::access::Actor, command: C) -> Result<C::Output, StoreError> {
        self.store().write(self.db.source().context(actor.clone()), command).await
    }

    /// Runs what only the system does.
    ///
    /// # Errors
    /// Whatever the command refuses.
    pub async fn run_system<C: Command>(&self, command: C) -> Result<C::Output, StoreError> {
        self.try_run(&system(), command).await
    }

    /// What the family asks for: cleaning from a time on, for so many hundredths of an hour.
    ///
    /// # Errors
    /// No such time.
    pub fn ask(&self, start: &str, hundredths: i64, programmes: Option<&[&str]>) -> anyhow::Result<RequestQuote> {
        let programmes = programmes.map(|codes| codes.iter().map(|code| code.parse()).collect::<Result<BTreeSet<_>, _>>()).transpose()?;
        Ok(RequestQuote {
            resident: self.city.resident,
            provider: self.city.provider,
            address: Some(self.city.address),
            item: ItemCode::Cleaning,
            class: ServiceClass::Home,
            starts_at: parse_instant(start)?,
            quantity: Quantity::from_hundredths(hundredths)?,
            facts: BTreeMap::new(),
            programmes,
        })
    }

    /// A quote for two hours.
    ///
    /// # Errors
    /// Whatever the command refuses.
    pub async fn quote(&self, start: &str, programmes: Option<&[&str]>) -> anyhow::Result<QuoteView> {
        Ok(self.try_run(&self.people().family, self.ask(start, 200, programmes)?).await?)
    }

    /// Quotes and books two hours.
    ///
    /// # Errors
    /// Whatever a command refuses.
    pub async fn book(&self, start: &str) -> anyhow::Result<OrderStep> {
        let quoted = self.quote(start, None).await?;
        Ok(self.try_run(&self.people().family, PlaceOrder { quote: quoted.quote_id, mode: OfferMode::default(), centre: None }).await?)
    }

    /// A carer of the provider, with whoever is behind them.
    ///
    /// # Errors
    /// A city without carers.
    pub fn carer(&self) -> anyhow::Result<&(domain::id::CarerId, domain::access::Actor)> {
        self.city.carers.first().ok_or_else(|| anyhow::anyhow!("no carer"))
    }

    /// Books two hours and names the carer.
    ///
    /// # Errors
    /// Whatever a command refuses.
    pub async fn assigned(&self, start: &str) -> anyhow::Result<OrderStep> {
        let booked = self.book(start).await?;
        self.city.assign(booked.order_id, self.carer()?.0).await?;
        Ok(booked)
    }

    /// A clock event with a position and no explanation, at a time.
    ///
    /// # Errors
    /// No such time.
    pub fn clock(&self, visit: domain::id::VisitId, kind: ClockKind, at: &str) -> anyhow::Result<store::command::visit::ClockVisit> {
        Ok(store::command::visit::ClockVisit { occurred_at: parse_instant(at)?, ..self.city.clock(visit, kind, Proof::Confirmed) })
    }

    /// Lets a booked order be accepted, assigned and served on time.
    ///
    /// # Errors
    /// Whatever a command refuses.
    pub async fn serve(&self, booked: &OrderStep, start: &str) -> anyhow::Result<()> {
        let (carer, actor) = self.city.carers.first().ok_or_else(|| anyhow::anyhow!("no carer"))?;
        self.city.assign(booked.order_id, *carer).await?;
        self.set_clock(start)?;
        self.city.run(actor.clone(), self.city.clock(booked.visit_id, ClockKind::ClockIn, Proof::Confirmed)).await?;
        self.db.clock().advance(chrono::TimeDelta::hours(2));
        self.city.run(actor.clone(), self.city.clock(booked.visit_id, ClockKind::ClockOut, Proof::Confirmed)).await?;
        Ok(())
    }

    /// The family confirms.
    ///
    /// # Errors
    /// Whatever the command refuses.
    pub async fn confirm(&self, order: OrderId) -> anyhow::Result<()> {
        self.try_run(&self.people().family, ConfirmOrder { order }).await?;
        Ok(())
    }

    /// The deadline of an order passes.
    ///
    /// # Errors
    /// Whatever the command refuses.
    pub async fn pass_deadline(&self, order: OrderId) -> anyhow::Result<()> {
        Ok(self.run_system(PassDeadline { order }).await?)
    }

    /// Publishes a policy version.
    ///
    /// # Errors
    /// Whatever a command refuses.
    pub async fn publish(&self, text: &str) -> anyhow::Result<()> {
        let draft = DraftPolicy { file_name: "further.toml".to_owned(), text: text.to_owned() };
        let drafted = self.try_run(&self.people().clerk, draft).await?;
        let publish = PublishPolicy { policy: drafted.policy_version_id, digest: drafted.digest };
        self.try_run(&self.people().approver, publish).await?;
        Ok(())
    }

    /// Sets the budget of both funds of a programme in 2026.
    ///
    /// # Errors
    /// Whatever the command refuses.
    pub async fn set_budget(&self, programme: &str, fen: i64) -> anyhow::Result<()> {
        for fund in ["city", "district"] {
            let budget = SetBudget { programme: programme.parse()?, fund: fund.parse()?, year: 2026, amount: Fen::new(fen)? };
            self.try_run(&self.people().clerk, budget).await?;
        }
        Ok(())
    }

    /// Brings an application for a programme through; the clock goes on by ten days.
    ///
    /// # Errors
    /// Whatever a command refuses.
    pub async fn grant(&self, programme: &str) -> anyhow::Result<()> {
        let application = self.city.apply(programme).await?;
        self.db.clock().advance(chrono::TimeDelta::days(10));
        self.run_system(EndNotice { application }).await?;
        Ok(())
    }

    /// Expires the windows that are over and opens those that have begun.
    ///
    /// # Errors
    /// Whatever a command refuses.
    pub async fn turn_windows(&self) -> anyhow::Result<()> {
        self.city.turn_windows().await
    }

    /// What the resident may use today.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn entitlements(&self) -> anyhow::Result<Vec<EntitlementView>> {
        let today = domain::time::BusinessDate::of(self.db.source().now());
        Ok(self.store().entitlements(&self.people().family, self.city.resident, today).await?)
    }
}
