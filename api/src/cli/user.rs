//! `yijia user`.

use std::{io::BufRead as _, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::{Args, Subcommand};
use domain::{
    access::{Actor, Role},
    resident::PersonName,
};
use secrecy::SecretString;
use serde::Serialize;
use store::command::account::{CreateAccount, NewRole, PasswordHashed, RoleReach};

use super::{failure::Failure, open, output::Output, place::Place};

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Make an account for a new person
    Add(AddArgs),
}

/// Makes an account, also beside a running server. Prints the authenticator secret of a role that needs one,
/// and the password if it was made here; neither is shown again.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  yijia user add --dir demo --login chen.li --name 陈丽 --role street_clerk@120101001\n  yijia user add --login wang.fang --name 王芳 --role family_member --password-stdin < password.txt"
)]
pub(super) struct AddArgs {
    #[command(flatten)]
    place: Place,
    /// What the person types to sign in: 3 to 64 of a-z, 0-9 and - _ . @ +
    #[arg(long)]
    login: String,
    /// Name of the person
    #[arg(long)]
    name: String,
    /// Role, with a division prefix or a provider where it needs one: `approver@1201`, `carer@prv_…`, `family_member`
    #[arg(long = "role", value_name = "ROLE[@REACH]", required = true)]
    roles: Vec<RoleArg>,
    /// Read the password from the first line of standard input instead of making one
    #[arg(long)]
    password_stdin: bool,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone)]
struct RoleArg {
    role: Role,
    reach: RoleReach,
}

impl FromStr for RoleArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (role, reach) = text.split_once('@').map_or((text, None), |(role, reach)| (role, Some(reach)));
        let role: Role = role.parse().map_err(|_cause| "no such role; write one such as street_clerk".to_owned())?;
        let reach = match reach {
            None => RoleReach::Bound,
            Some(reach) if reach.starts_with("prv_") => RoleReach::Provider(reach.parse().map_err(|cause| format!("{cause}"))?),
            Some(reach) => RoleReach::Division(reach.parse().map_err(|cause| format!("{cause}"))?),
        };
        Ok(Self { role, reach })
    }
}

#[derive(Serialize)]
struct Added {
    login: String,
    person_id: String,
    account_id: String,
    totp_secret: Option<String>,
    /// Only a password that was made here.
    password: Option<String>,
}

impl UserCommand {
    pub(super) async fn run(&self, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::Add(args) => args.run(output).await,
        }
    }
}

impl AddArgs {
    async fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let settings = self.place.settings()?;
        let name = PersonName::parse(&self.name).map_err(|cause| Failure::refused(format!("--name: {cause}")))?;
        let (password, made) = self.password()?;
        let password = PasswordHashed::new(&password)?;
        let opened = open::open(&settings).await?;
        let roles = self.roles.iter().map(|role| NewRole { role: role.role, reach: role.reach.clone() }).collect();
        announce(&self.login, self.json, output)?;
        let command = CreateAccount { name, login: self.login.clone(), password, roles };
        let created = opened.store.write(opened.source.context(Actor::System("user_add")), command).await?;
        let added = Added {
            login: self.login.clone(),
            person_id: created.person_id.to_string(),
            account_id: created.account_id.to_string(),
            totp_secret: created.totp_secret,
            password: made,
        };
        let told = tell(&added, self.json, output);
        if told.is_ok() && !output.is_closed() {
            return Ok(());
        }
        // The account cannot be unmade here, and the secrets are nowhere else.
        Err(Failure::refused(format!(
            "{} exists with account {}, but nobody read its password and authenticator secret, which are lost; add an account with another --login",
            added.login, added.account_id
        )))
    }

    /// The password, and whether it was made here.
    fn password(&self) -> Result<(SecretString, Option<String>), Failure> {
        if self.password_stdin {
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line);
            read.map_err(|cause| {
                Failure::bad_data(format!("the password cannot be read from standard input: {cause}; write it on one line"))
            })?;
            return Ok((SecretString::from(line.trim_end_matches(['\r', '\n'])), None));
        }
        let mut random = [0_u8; 15];
        rand::fill(&mut random);
        let made = URL_SAFE_NO_PAD.encode(random);
        Ok((SecretString::from(made.as_str()), Some(made)))
    }
}

/// Finds out that somebody reads, before an account is made whose secrets are shown once. In JSON that is white
/// space, which no reader minds.
fn announce(login: &str, json: bool, output: &mut Output) -> Result<(), Failure> {
    if json {
        output.text(" ")?;
    } else {
        output.line(format!("new account {login}:"))?;
    }
    if output.is_closed() {
        return Err(Failure::refused("no account is made: nobody reads standard output, where its secrets would be shown once"));
    }
    Ok(())
}

/// All at once, so that there is no half of it.
fn tell(added: &Added, json: bool, output: &mut Output) -> Result<(), Failure> {
    if json {
        return output.json(added);
    }
    let mut lines = vec![format!("{} is {} with account {}", added.login, added.person_id, added.account_id)];
    lines.extend(added.password.iter().map(|password| format!("password: {password}")));
    lines.extend(added.totp_secret.iter().map(|secret| format!("authenticator secret: {secret}")));
    output.line(lines.join("\n"))
}
