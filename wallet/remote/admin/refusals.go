package admin

import (
	"slices"
	"strings"
	"time"

	"github.com/pmctl/pmctl/wallet/remote"
)

// refusalsKept is how many of the last refusals the page can show.
const refusalsKept = 50

// maxReason bounds the text of a reason, in bytes: parts of it may be the client's.
const maxReason = 300

// Refusal is a request that was refused.
type Refusal struct {
	At                           time.Time
	RequestID, Client, Recipient string
	Status                       int
	Reason                       string
}

// refusals are the last ones, in the order in which they came, around at.
type refusals struct {
	last []Refusal
	at   int
}

func (r *refusals) add(a remote.Answered) {
	one := Refusal{At: a.At, RequestID: a.RequestID, Status: a.Status, Reason: a.Err.Error(), Client: a.Caller.AuthID()}
	if len(one.Reason) > maxReason {
		one.Reason = strings.ToValidUTF8(one.Reason[:maxReason], "") + "…"
	}
	if a.Recipient != nil {
		one.Recipient = a.Recipient.Hex()
	}
	if len(r.last) < refusalsKept {
		r.last = append(r.last, one)
		return
	}
	r.last[r.at] = one
	r.at = (r.at + 1) % refusalsKept
}

// Refusals returns the last refusals, the newest first.
func (c *Recorder) Refusals() []Refusal {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := slices.Concat(c.refusals.last[c.refusals.at:], c.refusals.last[:c.refusals.at])
	slices.Reverse(all)
	return all
}
