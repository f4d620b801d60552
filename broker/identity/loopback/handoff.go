package loopback

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

const handoffWithin = 20 * time.Second // for a browser to start and take an address

// HandOff has a browser go to an address that holds a secret, by a page of its own.
func HandOff(ctx context.Context, address string, open func(context.Context, string) error) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("a page for the browser: %w", err)
	}
	entry := newEntry(listener.Addr().String(), "/", address, nil)
	server := &http.Server{
		ReadHeaderTimeout: pageWrite,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if refused := entry.refuse(r); refused != nil {
				refused.write(w)
			} else if !entry.serve(w, r) {
				strayPage().write(w)
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
	if err := open(ctx, entry.page()); err != nil {
		return fmt.Errorf("opening the browser: %w", err)
	}
	select {
	case <-entry.taken:
		return nil
	case <-time.After(handoffWithin):
		return errors.New("no browser came for the page")
	case <-ctx.Done():
		return ctx.Err()
	}
}
