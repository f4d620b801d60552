package keychain

import (
	"context"
	"errors"
)

// items is a keychain of single small texts by account name. Its errors are
// ErrNotFound or an *Error without Op.
type items interface {
	get(ctx context.Context, account string) (string, error)
	set(ctx context.Context, account, text string) error
	delete(ctx context.Context, account string) error
}

// maxReads is how often a Get starts over because the entry changed under it.
const maxReads = 10

// chunked keeps secrets that are larger than an item. A key has a header item
// and two slots for chunks; the header names the current one. Set
// fills the other slot and then replaces the header, so the secret changes in
// one step and a crash leaves the old or the new one.
//
// The chunks in a slot are numbered from 0 without a gap, at every moment and
// after every crash, because they are written upwards and deleted downwards.
// So what a crash left behind is found by counting, where no keychain of
// go-keyring can list.
//
// A call that did not answer in time may still take effect, at worst after
// another process has filled the same slot. The hash turns that into Corrupt,
// never into a wrong secret.
type chunked struct {
	items   items
	name    string
	writing chan struct{} // holds a token while a Set or Delete runs
}

func newChunked(name string, items items) *chunked {
	return &chunked{items: items, name: name, writing: make(chan struct{}, 1)}
}

func (c *chunked) Name() string { return c.name }

func (c *chunked) Get(ctx context.Context, key string) (Secret, error) {
	value, err := c.read(ctx, key)
	if err != nil {
		return Secret{}, during("get", err)
	}
	return NewSecret(value), nil
}

func (c *chunked) Set(ctx context.Context, key string, secret Secret) error {
	return during("set", c.alone(ctx, func() error { return c.write(ctx, key, secret) }))
}

func (c *chunked) Delete(ctx context.Context, key string) error {
	return during("delete", c.alone(ctx, func() error { return c.remove(ctx, key) }))
}

// alone keeps the writers of this process apart.
func (c *chunked) alone(ctx context.Context, write func() error) error {
	select {
	case c.writing <- struct{}{}:
		defer func() { <-c.writing }()
		return write()
	case <-ctx.Done():
		return gaveUp(ctx)
	}
}

// read starts over when chunks and header do not fit: a writer in another
// process may have been between. Twice the same header means that nobody was.
func (c *chunked) read(ctx context.Context, key string) (string, error) {
	var seen header
	for range maxReads {
		h, err := c.header(ctx, account(key))
		if err != nil {
			return "", err
		}
		value, err := c.assemble(ctx, key, h)
		if !isKind(err, Corrupt) || h == seen {
			return value, err
		}
		seen = h
	}
	return "", corrupt("it was replaced %d times while it was read", maxReads)
}

func (c *chunked) header(ctx context.Context, name string) (header, error) {
	text, err := c.items.get(ctx, name)
	if err != nil {
		return header{}, err
	}
	return parseHeader(text)
}

// assemble reads the chunks that h speaks of.
func (c *chunked) assemble(ctx context.Context, key string, h header) (string, error) {
	chunks := make([]string, h.count)
	for i := range chunks {
		text, err := c.items.get(ctx, part(account(key), h.slot, i))
		if errors.Is(err, ErrNotFound) {
			return "", corrupt("part %d of %d is missing", i+1, h.count)
		}
		if err != nil {
			return "", err
		}
		chunks[i] = text
	}
	return unpack(key, h, chunks)
}

// write replaces the secret. What cannot be read any more, a foreign entry
// included, is overwritten: a new login fixes it.
func (c *chunked) write(ctx context.Context, key string, secret Secret) error {
	if err := checkSize(secret); err != nil {
		return err
	}
	name := account(key)
	old, err := c.header(ctx, name)
	if err != nil && !errors.Is(err, ErrNotFound) && !isKind(err, Corrupt) {
		return err
	}
	chunks := pack(secret.Reveal())
	h := header{slot: old.slot.other(), count: len(chunks), size: len(secret.Reveal()), sum: digest(key, chunks)}
	if err := c.fill(ctx, key, h, chunks); err != nil {
		_ = c.sweep(ctx, name, h.slot, 0, h.count)
		return err
	}
	// From here on the slot stays as it is whatever happens: a header that was
	// not confirmed may be there all the same.
	if err := c.publish(ctx, name, h); err != nil {
		return err
	}
	// The secret is stored. What cannot be swept now, the next Set or Delete
	// sweeps.
	_ = c.sweep(ctx, name, h.slot.other(), 0, old.count)
	_ = c.sweep(ctx, name, h.slot, h.count, 0)
	return nil
}

// fill writes the chunks into the slot that is not current and reads them back
// while the old header still holds.
func (c *chunked) fill(ctx context.Context, key string, h header, chunks []string) error {
	for i, text := range chunks {
		if err := c.items.set(ctx, part(account(key), h.slot, i), text); err != nil {
			return err
		}
	}
	_, err := c.assemble(ctx, key, h)
	if isKind(err, Corrupt) {
		return &Error{Kind: NotKept, Err: errors.New("a part of the secret is not there (was a prompt dismissed?)")}
	}
	return err
}

// publish makes h the header and reads it back.
func (c *chunked) publish(ctx context.Context, name string, h header) error {
	if err := c.items.set(ctx, name, h.String()); err != nil {
		return err
	}
	kept, err := c.header(ctx, name)
	if errors.Is(err, ErrNotFound) || isKind(err, Corrupt) || err == nil && kept != h {
		return &Error{Kind: NotKept, Err: errors.New("the entry is not there (was a prompt dismissed?)")}
	}
	return err
}

// remove deletes the header first. From that one step on the key reads as
// ErrNotFound; the other way round a crash would leave a header without its
// chunks, which reads as Corrupt. The chunks that a crash leaves are found by
// counting, with or without a header, so the next Delete or Set of the key
// gets them: Delete therefore sweeps both slots always, and tells when it
// could not.
func (c *chunked) remove(ctx context.Context, key string) error {
	name := account(key)
	h, err := c.header(ctx, name)
	if err != nil && !errors.Is(err, ErrNotFound) && !isKind(err, Corrupt) {
		return err
	}
	if err := c.erase(ctx, name); err != nil {
		return err
	}
	for _, s := range []slot{slotA, slotB} {
		known := 0
		if s == h.slot {
			known = h.count
		}
		if err := c.sweep(ctx, name, s, 0, known); err != nil {
			return err
		}
	}
	return c.confirmGone(ctx, name, part(name, slotA, 0), part(name, slotB, 0))
}

// confirmGone reads back what was deleted: a dismissed prompt is a yes to
// go-keyring.
func (c *chunked) confirmGone(ctx context.Context, accounts ...string) error {
	for _, account := range accounts {
		_, err := c.items.get(ctx, account)
		if err == nil || isKind(err, Corrupt) {
			return &Error{Kind: NotKept, Err: errors.New("the entry to delete is still there (was a prompt dismissed?)")}
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// sweep deletes the chunks of a slot downwards to from. Where they end is
// found by counting up; known is a count that the header has told, in case one
// of them got lost.
func (c *chunked) sweep(ctx context.Context, name string, s slot, from, known int) error {
	end := max(from, known)
	for ; end < maxChunks; end++ {
		_, err := c.items.get(ctx, part(name, s, end))
		if errors.Is(err, ErrNotFound) {
			break
		}
		if err != nil && !isKind(err, Corrupt) {
			return err
		}
	}
	for i := end - 1; i >= from; i-- {
		if err := c.erase(ctx, part(name, s, i)); err != nil {
			return err
		}
	}
	return nil
}

func (c *chunked) erase(ctx context.Context, account string) error {
	err := c.items.delete(ctx, account)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
