package pm

import (
	"errors"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"
)

// resumable is a sender without a store, and one with.
func resumable(t *testing.T, test func(t *testing.T, sender ResumableSender)) {
	t.Run("memory", func(t *testing.T) {
		sender, _, _ := newTestSender(t)
		test(t, sender.(ResumableSender))
	})
	t.Run("store", func(t *testing.T) {
		_, chain, signer := newTestSender(t)
		store := &nonceTable{used: make(map[common.Hash]uint32)}
		test(t, NewSenderWithStore(signer, chain, chain, DefaultLimits(), store).(ResumableSender))
	})
}

// requireNonces makes a batch and compares its nonces.
func requireNonces(t *testing.T, sender ResumableSender, id string, want ...uint32) {
	t.Helper()
	batch, err := sender.CreateTicketBatch(id, len(want))
	if err != nil {
		t.Fatal(err)
	}
	for i, sp := range batch.SenderParams {
		if sp.SenderNonce != want[i] {
			t.Errorf("nonce is %d, want %d", sp.SenderNonce, want[i])
		}
	}
	if nonce, err := sender.Nonce(id); nonce != want[len(want)-1] || err != nil {
		t.Errorf("Nonce is %d (%v), want %d", nonce, err, want[len(want)-1])
	}
}

func TestSessionsContinueAfterANonceOfElsewhere(t *testing.T) {
	resumable(t, func(t *testing.T, sender ResumableSender) {
		params := testParams()
		id := sender.StartSessionWithNonce(*params, 7)
		if nonce, err := sender.Nonce(id); nonce != 7 || err != nil {
			t.Errorf("Nonce is %d (%v), want 7", nonce, err)
		}
		requireNonces(t, sender, id, 8, 9)
		// A lower nonce would repeat some.
		if again := sender.StartSessionWithNonce(*params, 3); again != id {
			t.Errorf("the session is %s, want %s", again, id)
		}
		requireNonces(t, sender, id, 10)
		if again := sender.StartSession(*params); again != id {
			t.Errorf("the session is %s, want %s", again, id)
		}
		requireNonces(t, sender, id, 11)
		sender.StartSessionWithNonce(*params, 598)
		requireNonces(t, sender, id, 599, 600)
		if _, err := sender.CreateTicketBatch(id, 1); !isNonceCapError(err) {
			t.Errorf("error is %v, want *NonceCapError", err)
		}
		// A state above the cap leaves no nonce.
		sender.StartSessionWithNonce(*params, 700)
		if _, err := sender.CreateTicketBatch(id, 1); !isNonceCapError(err) {
			t.Errorf("error is %v, want *NonceCapError", err)
		}
	})
}

// TestEndedSessionsRepeatNoNonce: the params may be started again, by this process or by one
// that was given a nonce.
func TestEndedSessionsRepeatNoNonce(t *testing.T) {
	resumable(t, func(t *testing.T, sender ResumableSender) {
		cheap, dear := testParams(), testParams()
		dear.RecipientRandHash = cheap.RecipientRandHash
		dear.FaceValue.Add(dear.FaceValue, cheap.FaceValue)
		id := sender.StartSession(*cheap)
		if nonce, err := sender.Nonce(id); nonce != 0 || err != nil {
			t.Errorf("Nonce is %d (%v), want 0", nonce, err)
		}
		requireNonces(t, sender, id, 1, 2)
		sender.CleanupSession(id)
		sender.CleanupSession("nowhere")
		for _, fails := range []func() error{
			func() error { _, err := sender.Nonce(id); return err },
			func() error { _, err := sender.EV(id); return err },
			func() error { _, err := sender.CreateTicketBatch(id, 1); return err },
		} {
			if err := fails(); !errors.Is(err, ErrUnknownSession) {
				t.Errorf("error is %v, want ErrUnknownSession", err)
			}
		}
		requireNonces(t, sender, sender.StartSessionWithNonce(*dear, 1), 3)
		requireNonces(t, sender, sender.StartSession(*cheap), 4)
	})
}

// TestSessionsEndedWhileTheyPay, as a server does for each of its requests.
func TestSessionsEndedWhileTheyPay(t *testing.T) {
	resumable(t, func(t *testing.T, sender ResumableSender) {
		params := testParams()
		var (
			mu   sync.Mutex
			seen = make(map[uint32]bool)
			wg   sync.WaitGroup
		)
		for range 50 {
			wg.Go(func() {
				id := sender.StartSessionWithNonce(*params, 5)
				defer sender.CleanupSession(id)
				batch, err := sender.CreateTicketBatch(id, 2)
				if errors.Is(err, ErrUnknownSession) {
					return // another goroutine has ended it
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				for _, sp := range batch.SenderParams {
					if sp.SenderNonce <= 5 || seen[sp.SenderNonce] {
						t.Errorf("nonce %d was used before", sp.SenderNonce)
					}
					seen[sp.SenderNonce] = true
				}
			})
		}
		wg.Wait()
	})
}

// TestEndedSessionsAreForgottenOnceExpired: their memory is bounded.
func TestEndedSessionsAreForgottenOnceExpired(t *testing.T) {
	plain, chain, _ := newTestSender(t)
	s := plain.(*sender)
	block := int64(1000)
	for range 3 * minSweep {
		params := testParams()
		params.ExpirationBlock.SetInt64(block + 40)
		s.CleanupSession(s.StartSession(*params))
		block++
		chain.set(func() { chain.block.SetInt64(block) })
	}
	if len(s.sessions) != 0 || len(s.counters) > minSweep+40 {
		t.Errorf("%d sessions and %d counters are remembered", len(s.sessions), len(s.counters))
	}
}
