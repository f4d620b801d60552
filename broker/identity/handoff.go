package identity

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

const handoffWithin = 20 * time.Second // for a browser to start and take an address

// handOff has a browser go to an address that holds a secret. Whoever starts a
// browser puts the address into its arguments, which every user of the machine
// can read, so the browser gets one of a page here that sends it on, once.
func handOff(ctx context.Context, address string, open func(context.Context, string) error) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("a page for the browser: %w", err)
	}
	path, taken := "/"+random(), make(chan struct{})
	turns := make(chan struct{}, 1)
	turns <- struct{}{}
	server := &http.Server{
		ReadHeaderTimeout: pageWrite,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Host != listener.Addr().String() || r.Method != http.MethodGet || r.URL.Path != path {
				strayPage().write(w)
				return
			}
			select {
			case <-turns:
				page{status: http.StatusSeeOther, location: address}.write(w)
				close(taken)
			default:
				usedPage().write(w)
			}
		}),
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // ends with Shutdown
	}()
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), pageWait)
		defer cancel()
		_ = server.Shutdown(closing)
		<-served
	}()
	if err := open(ctx, "http://"+listener.Addr().String()+path); err != nil {
		return fmt.Errorf("opening the browser: %w", err)
	}
	select {
	case <-taken:
		return nil
	case <-time.After(handoffWithin):
		return errors.New("no browser came for the page")
	case <-ctx.Done():
		return ctx.Err()
	}
}
