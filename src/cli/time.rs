//! Times as the command line takes them.

use std::time::UNIX_EPOCH;

/// Seconds since 1970 from their number, or from `YYYY-MM-DD[Thh:mm:ss]Z`.
///
/// # Errors
///
/// What is wrong with the text.
pub fn parse_time(text: &str) -> Result<i64, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let whole = match text.contains('T') {
        true => text.to_owned(),
        false => format!("{}T00:00:00Z", text.trim_end_matches('Z')),
    };
    let time = humantime::parse_rfc3339_weak(&whole).ok();
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .ok_or_else(|| "give seconds since 1970, or a time such as 2026-11-22T01:30:00Z".to_owned())
}
