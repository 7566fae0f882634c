//! A carer's phone: it holds a private key and signs what it records, by the published description alone.

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A phone, before and after it is bound.
#[derive(Debug)]
pub struct Phone {
    key: Ed25519KeyPair,
    device_id: String,
    sequence: u64,
    previous: String,
}

impl Phone {
    /// A phone whose key follows from a number.
    ///
    /// # Errors
    /// None for any number.
    pub fn new(number: u8) -> anyhow::Result<Self> {
        let key = Ed25519KeyPair::from_seed_unchecked(&[number; 32]).ok().context("a seed has 32 bytes")?;
        Ok(Self { key, device_id: String::new(), sequence: 0, previous: String::new() })
    }

    fn sign_text(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.key.sign(text.as_bytes()))
    }

    /// The body of a binding with the time that the server told.
    #[must_use]
    pub fn binding(&self, anchor: &str) -> Value {
        let public = self.key.public_key().as_ref();
        let text = format!("yijia device binding 1\nalgorithm:ed25519\npublic_key:{}\nanchor:{anchor}\n", hexadecimal(public));
        json!({
            "algorithm": "ed25519", "public_key": URL_SAFE_NO_PAD.encode(public), "anchor": anchor, "signature": self.sign_text(&text),
        })
    }

    /// The body of a sign-in with a code of the provider.
    #[must_use]
    pub fn sign_in(&self, login: &str, code: &str) -> Value {
        let public = self.key.public_key().as_ref();
        let text = format!("yijia device sign-in 1\nalgorithm:ed25519\npublic_key:{}\nlogin:{login}\ncode:{code}\n", hexadecimal(public));
        json!({
            "login": login, "code": code, "algorithm": "ed25519", "public_key": URL_SAFE_NO_PAD.encode(public),
            "signature": self.sign_text(&text), "device": "手机",
        })
    }

    /// The header `Yijia-Device` of one request of a session that is bound to the phone.
    #[must_use]
    pub fn proof(&self, method: &str, target: &str, token: &str, now: DateTime<Utc>) -> String {
        let (micros, token) = (now.timestamp_micros(), hexadecimal(&Sha256::digest(token)));
        let text = format!("yijia device request 1\nmethod:{method}\ntarget:{target}\nsigned_at:{micros}\ntoken:{token}\n");
        format!("{micros}.{}", self.sign_text(&text))
    }

    /// Keeps what the server answered to the binding.
    ///
    /// # Errors
    /// An answer of another form.
    pub fn bound(&mut self, answer: &Value) -> anyhow::Result<()> {
        let text = |field: &str| answer.get(field).and_then(Value::as_str).map(ToOwned::to_owned).context("no device in the answer");
        (self.device_id, self.previous) = (text("device_id")?, text("chain_start")?);
        Ok(())
    }

    /// The body of a clock event with the signature of the phone; `anchor` is a time that the server told and the
    /// milliseconds since.
    ///
    /// # Errors
    /// A body of another form.
    pub fn sign(&mut self, visit: &str, kind: &str, mut body: Value, anchor: Option<(&str, u64)>) -> anyhow::Result<Value> {
        self.sequence += 1;
        let occurred: DateTime<Utc> = body.pointer("/occurred_at").and_then(Value::as_str).context("no time")?.parse()?;
        let text = |path: &str| body.pointer(path).and_then(Value::as_str).map(ToOwned::to_owned);
        let location = match text("/location/position/system") {
            Some(system) => {
                // Six decimals: without the point they are millionths.
                let millionths = |path: &str| text(path).map(|degrees| degrees.replace('.', "")).context("no position");
                let accuracy = body.pointer("/location/accuracy_m").and_then(Value::as_u64).context("no accuracy")?;
                let (latitude, longitude) = (millionths("/location/position/latitude")?, millionths("/location/position/longitude")?);
                format!("{system} {latitude} {longitude} {accuracy}")
            }
            None => "-".to_owned(),
        };
        let or_dash = |path: &str| text(path).unwrap_or_else(|| "-".to_owned());
        let (token, elapsed) = anchor.map_or(("-", "-".to_owned()), |(token, elapsed)| (token, elapsed.to_string()));
        let lines = format!(
            "yijia clock 1\nvisit:{visit}\nkind:{kind}\nclient_event_id:{}\noccurred_at:{}\nlocation:{location}\ncode:{}\nexplanation:{}\n\
             device:{}\nsequence:{}\nprevious:{}\nanchor:{token}\nelapsed_ms:{elapsed}\n",
            or_dash("/client_event_id"),
            occurred.timestamp_micros(),
            or_dash("/code"),
            or_dash("/explanation"),
            self.device_id,
            self.sequence,
            self.previous,
        );
        let signature = json!({
            "device_id": self.device_id, "sequence": self.sequence, "previous": self.previous, "signature": self.sign_text(&lines),
            "anchor": anchor.map(|(token, _)| token), "elapsed_ms": anchor.map(|(_, elapsed)| elapsed),
        });
        self.previous = hexadecimal(&Sha256::digest(&lines));
        body.as_object_mut().context("no object")?.insert("signature".to_owned(), signature);
        Ok(body)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
