package keychain

import (
	"context"
	"sync"
)

// Memory returns a store that lives and ends with this process:
// for the demo and for people who chose it. It has the size limit of [OS], so
// that nothing works here that fails there.
func Memory() Store { return &memory{secrets: map[string]Secret{}} }

type memory struct {
	mu      sync.Mutex
	secrets map[string]Secret
}

func (m *memory) Name() string { return "memory (this process only)" }

func (m *memory) Get(ctx context.Context, key string) (Secret, error) {
	if ctx.Err() != nil {
		return Secret{}, during("get", gaveUp(ctx))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	secret, ok := m.secrets[key]
	if !ok {
		return Secret{}, ErrNotFound
	}
	return secret, nil
}

func (m *memory) Set(ctx context.Context, key string, secret Secret) error {
	if err := checkSize(secret); err != nil {
		return during("set", err)
	}
	if ctx.Err() != nil {
		return during("set", gaveUp(ctx))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.secrets[key] = secret
	return nil
}

func (m *memory) Delete(ctx context.Context, key string) error {
	if ctx.Err() != nil {
		return during("delete", gaveUp(ctx))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.secrets, key)
	return nil
}
