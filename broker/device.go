package broker

import (
	"context"
	"errors"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/problem"
)

// Device is a sign-in on another device in two steps, in one process or in two.
// Errors of its methods are *problem.Problem.
type Device struct{ b *Broker }

// Device returns the sign-in on another device.
func (b *Broker) Device() Device { return Device{b} }

// Begin gets the code that the user types there.
func (d Device) Begin(ctx context.Context, r config.Resolved, o LoginOptions) (DeviceCode, error) {
	client, err := d.b.loginClient(ctx, r)
	if err != nil {
		return DeviceCode{}, problem.Of(err)
	}
	code, err := d.b.accounts.BeginDevice(ctx, client, o)
	if err != nil {
		return DeviceCode{}, r.LoginProblem(err, r.LoginCommand())
	}
	return code, nil
}

// Finish is [Broker.Login] with the code of Begin.
func (d Device) Finish(ctx context.Context, r config.Resolved, o LoginOptions) (user User, remembered bool, err error) {
	user, remembered, err = d.b.signInBy(ctx, r, o, d.b.accounts.FinishDevice)
	if errors.Is(err, identity.ErrNoCode) {
		return user, remembered, d.noCode(ctx, r, err)
	}
	return user, remembered, err
}

// noCode names the profiles that a sign-in with a code was begun for instead.
func (d Device) noCode(ctx context.Context, r config.Resolved, err error) error {
	p := problem.Of(err)
	file, readErr := d.b.Config()
	if readErr != nil {
		return p
	}
	for _, name := range file.ProfileNames() {
		other, err := d.b.Resolve(config.Overrides{Profile: name})
		if err == nil && name != r.Name && d.b.accounts.HasCode(ctx, other.Client()) {
			p.Hints = append(p.Hints, "one was begun for another profile: "+other.LoginCommand("--wait"))
		}
	}
	return p
}
