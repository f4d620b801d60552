package broker

import (
	"context"
	"io"

	"github.com/mcpauth/mcpauth/broker/doctor"
)

// Doctor examines the set-up of a profile and of this machine. The error is that of
// ctx.
func (b *Broker) Doctor(ctx context.Context, o doctor.Options) (doctor.Diagnosis, error) {
	return doctor.Examine(ctx, doctor.Parts{
		Paths: b.Paths, Env: b.Env, Store: b.Store, Accounts: b.accounts, Clients: b.Clients(), Client: b.client,
		Proxy: func(ctx context.Context, o doctor.Options, in io.Reader, out, log io.Writer) error {
			_, err := b.Proxy(ctx, ProxyOptions{Overrides: o.Overrides, Environ: o.Environ, In: in, Out: out, Log: log})
			return err
		},
	}, o)
}
