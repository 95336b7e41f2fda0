package remote

import (
	"context"
	"sync"
	"time"

	"github.com/pmctl/pmctl/wallet/store"
)

// recognizedFor is how long a client is recognized without asking the store. A payment does not
// depend on it: the transaction that records one looks at the credential again.
const recognizedFor = time.Second

// recognizer finds the clients that credentials belong to.
type recognizer struct {
	clients *store.Clients
	now     func() time.Time

	mu     sync.Mutex
	recent map[store.Credential]recognized // no more than there are credentials in the store
}

type recognized struct {
	client *store.Client
	at     time.Time
}

// client returns the client with a credential. It fails as store.Clients.With does.
func (r *recognizer) client(ctx context.Context, c store.Credential) (*store.Client, error) {
	now := r.now()
	r.mu.Lock()
	found, ok := r.recent[c]
	age := now.Sub(found.at)
	fresh := ok && age >= 0 && age < recognizedFor
	if ok && !fresh {
		r.recent[c] = recognized{found.client, now} // so that one request asks, and not all
	}
	r.mu.Unlock()
	if fresh {
		return found.client, nil
	}
	client, err := r.clients.With(ctx, c, now)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		delete(r.recent, c)
		return nil, err
	}
	r.recent[c] = recognized{client, now}
	return client, nil
}
