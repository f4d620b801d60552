package identity

// Offline says how a refresh token is asked for: by the scope offline_access
// (OpenID Connect Core 11) or in a provider's own way.
type Offline string

// The ways to ask for a refresh token. The empty one is OfflineAuto.
const (
	OfflineAuto       Offline = "auto"        // OfflineConsent or OfflineAccessType, by what the provider lists
	OfflineScope      Offline = "scope"       // offline_access alone
	OfflineConsent    Offline = "consent"     // offline_access with prompt=consent
	OfflineAccessType Offline = "access_type" // access_type=offline with prompt=consent, and no scope
	OfflineNever      Offline = "never"       // not at all: the sign-in ends with its access token
)
