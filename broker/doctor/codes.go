package doctor

import (
	"errors"

	"github.com/mcpauth/mcpauth/broker/backend"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/keychain"
)

// CodeOf is the code under which the doctor, and docs/errors.md, name what an
// error of any command is about. It is empty for what has none.
func CodeOf(err error) string {
	var start *backend.StartError
	switch {
	case err == nil:
		return ""
	case errors.As(err, new(*keychain.Error)):
		return storeCode(err)
	case errors.As(err, new(*identity.LockedError)):
		return "MA414"
	case errors.As(err, new(*identity.EndedError)), errors.As(err, new(*identity.RecordError)):
		return "MA412"
	case errors.Is(err, identity.ErrSignedOut):
		return "MA411"
	case errors.As(err, new(*identity.PortsBusyError)):
		return "MA331"
	case errors.As(err, new(*identity.IssuerMismatchError)), errors.As(err, new(*identity.MetadataError)),
		errors.As(err, new(*identity.UnreachableError)):
		return providerCode(err)
	case errors.As(err, &start) && start.Kind == backend.BadDir:
		return "MA514"
	case start != nil:
		return "MA511"
	}
	return ""
}

// storeCodes are the findings for what a keychain can fail by.
var storeCodes = map[keychain.Kind]string{
	keychain.Unavailable: "MA211", keychain.Locked: "MA212", keychain.Timeout: "MA213", keychain.NoKeyring: "MA214",
	keychain.NotKept: "MA215", keychain.Sealed: "MA216", keychain.Corrupt: "MA218",
}

func storeCode(err error) string {
	var failure *keychain.Error
	if errors.As(err, &failure) && storeCodes[failure.Kind] != "" {
		return storeCodes[failure.Kind]
	}
	return "MA217"
}

// providerCode is the finding for an error of discovery.
func providerCode(err error) string {
	switch {
	case errors.As(err, new(*identity.IssuerMismatchError)):
		return "MA312"
	case errors.As(err, new(*identity.MetadataError)):
		return "MA313"
	case errors.As(err, new(*identity.ClientError)):
		return "MA121"
	}
	var unreachable *identity.UnreachableError
	if errors.As(err, &unreachable) && unreachable.Answered {
		return "MA315"
	}
	return "MA311"
}
