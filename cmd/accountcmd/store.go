package accountcmd

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/cmd/console"
)

// chooseStore is `login --store`: it sets the store of a configuration that has
// none yet, and no profile whose sign-in would be left behind.
func chooseStore(ctx context.Context, a *console.App, b *broker.Broker, store string) error {
	other, err := OtherStore(a, b, store)
	if err != nil || other == "" {
		return err
	}
	return config.SetStore(ctx, b.Paths.ConfigFile, other)
}

// OtherStore is the store of --store, if it may be set and is not the one in use;
// else it is empty.
func OtherStore(a *console.App, b *broker.Broker, store string) (string, error) {
	switch store {
	case "", config.StoreKeychain, config.StoreAge:
	case "memory":
		return "", console.Usage("a sign-in in memory is gone as soon as this command ends, and no proxy would ever see it",
			"mcpauth demo                       uses memory where there is no keychain",
			"mcpauth init --store age           keeps the tokens in a file that a passphrase opens")
	default:
		return "", console.Usage("--store must be keychain or age, not "+store, "mcpauth store show")
	}
	file, err := b.Config()
	if err != nil {
		return "", err
	}
	now, _ := file.StoreName()
	switch {
	case store == "" || now == store:
		return "", nil
	case file.Store != "" || len(file.Profiles) > 0:
		return "", console.Usage("all profiles keep their tokens in one store, which is not "+store, "mcpauth store use "+store)
	}
	return store, nil
}

func NewStore(a *console.App) *cobra.Command {
	c := &cobra.Command{
		Use:     "store",
		Short:   "Show or change where the tokens are kept",
		Example: "  mcpauth store show",
		Long: "The tokens of all profiles are in the keychain of the operating system, or, by\n" +
			"your choice, in an age file that a passphrase opens. mcpauth never changes from\n" +
			"one to the other by itself.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newStoreShow(a), newStoreUse(a))
	return c
}

func newStoreShow(a *console.App) *cobra.Command {
	return &cobra.Command{
		Use:     "show",
		Short:   "Which store is in use, and why",
		Example: "  mcpauth store show",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b, err := a.Broker(console.Patience)
			if err != nil {
				return err
			}
			file, err := b.Config()
			if err != nil {
				return err
			}
			name, origin := file.StoreName()
			a.Done(map[string]any{"store": name, "origin": origin, "stored_in": b.Store.Name(), "passphrase_file": file.PassphraseFile},
				"%s  (%s)", b.Store.Name(), storeReason(origin, b.Paths.ConfigFile))
			return nil
		},
	}
}

// whyStore is the reason for people why the tokens are where they are.
func whyStore(a *console.App, b *broker.Broker) string {
	file, err := b.Config()
	if err != nil {
		return "the configuration cannot be read"
	}
	_, origin := file.StoreName()
	return storeReason(origin, b.Paths.ConfigFile)
}

// storeReason says why a store is the one in use.
func storeReason(origin config.Origin, file string) string {
	if origin == config.OriginDefault {
		return "the default: no store is configured"
	}
	return "store in " + file
}

func newStoreUse(a *console.App) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "use keychain|age",
		Short: "Keep the tokens and client secrets of all profiles in another store",
		Long: "Takes the sign-ins along: copies everything, reads it back, makes the other store\n" +
			"the configured one and only then deletes the old. Running proxies follow. Where\n" +
			"the old store cannot be opened any more, it asks whether to leave it behind; all\n" +
			"profiles are signed out then.",
		Example:   "  mcpauth store use age",
		ValidArgs: []string{config.StoreKeychain, config.StoreAge},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] != config.StoreKeychain && args[0] != config.StoreAge {
				return console.Usage("name the store to use: keychain or age", "mcpauth store use age")
			}
			return useStore(c.Context(), a, args[0], yes)
		},
	}
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask: leave behind what cannot be read")
	return c
}

func useStore(ctx context.Context, a *console.App, name string, yes bool) error {
	b, err := a.Broker(console.Patience)
	if err != nil {
		return err
	}
	file, err := b.Config()
	if err != nil {
		return err
	}
	other := config.StoreKeychain
	if name == config.StoreKeychain {
		other = config.StoreAge
	}
	old := a.OpenStore(other, file, b.Paths, console.Patience)
	target := a.OpenStore(name, file, b.Paths, console.Patience)
	change, err := b.Profiles().UseStore(ctx, old, target, name, false)
	if errors.As(err, new(*broker.UnreadableStoreError)) {
		if err := agreeToLeave(ctx, a, name, err, yes); err != nil {
			return err
		}
		change, err = b.Profiles().UseStore(ctx, old, target, name, true)
	}
	if err != nil {
		return err
	}
	left := []string{}
	for _, err := range change.Left {
		left = append(left, err.Error())
		a.Say("mcpauth: not deleted: %s", console.Printable(err.Error()))
	}
	a.Done(map[string]any{"store": name, "moved": append([]string{}, change.Moved...), "left": left},
		"✓ The tokens are in: %s. Sign-ins moved: %d", target.Name(), len(change.Moved))
	return nil
}

// agreeToLeave asks whether all profiles may be signed out, since the old store
// cannot be read.
func agreeToLeave(ctx context.Context, a *console.App, name string, unreadable error, yes bool) error {
	a.Say("mcpauth: the sign-ins cannot be taken along: %s", console.Printable(unreadable.Error()))
	if yes {
		return nil
	}
	if a.Agree(ctx, "Leave them behind, and sign in again?") {
		return nil
	}
	refusal := problem.Of(unreadable)
	refusal.Hints = append(refusal.Hints, "to leave them behind and sign in again: mcpauth store use "+name+" --yes")
	return refusal
}
