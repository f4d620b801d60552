package keychain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

// outcome is what one operation of the store came to, as a probe tells it.
type outcome struct {
	Op    string
	Kind  Kind // 0: done
	Error string
	Took  time.Duration
}

// useStore is the probe that sets, reads and deletes in the keychain of the
// session that it finds itself in, behind a fake Secret Service if asked.
func useStore(timeout, service string) int {
	limit, err := time.ParseDuration(timeout)
	if err != nil {
		return 2
	}
	if service != "" {
		if err := serveSecrets(service); err != nil {
			fmt.Fprintln(os.Stderr, "fake Secret Service:", err)
			return 2
		}
	}
	s, ctx := OS(limit), context.Background()
	out := json.NewEncoder(os.Stdout)
	for _, op := range []struct {
		name string
		do   func() error
	}{
		{"set", func() error { return s.Set(ctx, "probe", NewSecret(noise(5000, 1))) }},
		{"get", func() error { return probeGet(ctx, s) }},
		{"delete", func() error { return s.Delete(ctx, "probe") }},
	} {
		begin := time.Now()
		told := outcome{Op: op.name}
		if err := op.do(); err != nil {
			told.Error, told.Kind = err.Error(), Failed
			var failure *Error
			if errors.As(err, &failure) {
				told.Kind = failure.Kind
			}
		}
		told.Took = time.Since(begin)
		if out.Encode(told) != nil {
			return 1
		}
	}
	return 0
}

func probeGet(ctx context.Context, s Store) error {
	got, err := s.Get(ctx, "probe")
	if err == nil && got != NewSecret(noise(5000, 1)) {
		return errors.New("another secret")
	}
	return err
}

// rewritten are the values that the probe "rewrite" stores in turn.
func rewritten() []string { return []string{noise(4000, 1), noise(7000, 2), noise(10, 3)} }

func rewrite() int {
	s := OS(20 * time.Second)
	for range 20 {
		for _, value := range rewritten() {
			if err := s.Set(context.Background(), "rewritten", NewSecret(value)); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
	}
	return 0
}

// fakeService is a Secret Service whose one prompt goes wrong: "dismiss", it
// is closed; "ignore", nobody looks at it; "vanish", the bus dies meanwhile.
type fakeService struct {
	conn   *dbus.Conn
	prompt string
}

const (
	secretsPath    = dbus.ObjectPath("/org/freedesktop/secrets")
	loginPath      = secretsPath + "/collection/login"
	promptPath     = secretsPath + "/prompt/p1"
	sessionPath    = secretsPath + "/session/s1"
	secretsService = "org.freedesktop.Secret.Service"
)

func serveSecrets(prompt string) error {
	conn, err := dbus.ConnectSessionBus()
	if err != nil {
		return err
	}
	f := fakeService{conn, prompt}
	for path, face := range map[dbus.ObjectPath]string{
		secretsPath: secretsService, loginPath: "org.freedesktop.Secret.Collection",
		promptPath: "org.freedesktop.Secret.Prompt", sessionPath: "org.freedesktop.Secret.Session",
	} {
		if err := conn.Export(f, path, face); err != nil {
			return err
		}
	}
	collections := map[string]*prop.Prop{"Collections": {Value: []dbus.ObjectPath{loginPath}}}
	if _, err := prop.Export(conn, secretsPath, prop.Map{secretsService: collections}); err != nil {
		return err
	}
	_, err = conn.RequestName("org.freedesktop.secrets", dbus.NameFlagDoNotQueue)
	return err
}

func (fakeService) OpenSession(string, dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
	return dbus.MakeVariant(""), sessionPath, nil
}

func (fakeService) Close() *dbus.Error { return nil }

func (fakeService) Unlock(objects []dbus.ObjectPath) ([]dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	return objects, "/", nil
}

func (fakeService) SearchItems(map[string]string) ([]dbus.ObjectPath, *dbus.Error) {
	return nil, nil
}

type wireSecret struct {
	Session           dbus.ObjectPath
	Parameters, Value []byte
	ContentType       string
}

func (fakeService) CreateItem(map[string]dbus.Variant, wireSecret, bool) (item, prompt dbus.ObjectPath, _ *dbus.Error) {
	return "/", promptPath, nil
}

func (f fakeService) Prompt(string) *dbus.Error {
	switch f.prompt {
	case "dismiss":
		_ = f.conn.Emit(promptPath, "org.freedesktop.Secret.Prompt.Completed", true, dbus.MakeVariant(""))
	case "vanish":
		// Not before this call is answered: go-keyring is to wait for the signal.
		time.AfterFunc(200*time.Millisecond, f.killBus)
	}
	return nil
}

func (f fakeService) killBus() {
	var bus uint32
	err := f.conn.BusObject().Call("org.freedesktop.DBus.GetConnectionUnixProcessID", 0, "org.freedesktop.DBus").Store(&bus)
	if err == nil {
		_ = syscall.Kill(int(bus), syscall.SIGKILL)
	}
}
