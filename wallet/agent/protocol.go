package agent

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/internal/facts"
	"github.com/pmctl/pmctl/wallet/store"
)

// The paths of the protocol, version 1.
const (
	pathStatus      = "/v1/status"
	pathFacts       = "/v1/facts"
	pathRequest     = "/v1/orchestrator-request"
	pathCredentials = "/v1/credentials"
	pathTickets     = "/v1/tickets"
	pathTransaction = "/v1/transaction"
	pathReceipt     = "/v1/receipt"
	pathLock        = "/v1/lock"
	pathStop        = "/v1/stop"
)

// The kinds of documents on the socket.
const (
	kindStatus = "pmctl.agent_status"

	kindFacts       = "pmctl.agent_facts"
	kindRequest     = "pmctl.agent_orchestrator_request"
	kindCredentials = "pmctl.agent_credentials"
	kindHeader      = "pmctl.agent_segment_header"
	kindOrder       = "pmctl.agent_ticket_order"
	kindTickets     = "pmctl.agent_tickets"
	kindTransaction = "pmctl.agent_transaction"
	kindReceipt     = "pmctl.agent_receipt"
)

const (
	// MaxTickets limits one order: its answer must fit into one document.
	MaxTickets = 100_000
	// maxBody limits a client's document, in bytes.
	maxBody = 1 << 20
)

// Status is an agent's state.
type Status struct {
	// PID is the agent's process ID, Version its program's version.
	PID     int    `json:"pid"`
	Version string `json:"version"`

	// Account is the signing account, on the chain with this ID, with nonces of this store.
	Account format.Address `json:"sender"`
	Network string         `json:"network"`
	ChainID format.Nat     `json:"chain_id"`
	StoreID string         `json:"store_id"`

	// Locked reports that the key is no longer in memory, LockedBy why.
	Locked   bool   `json:"locked"`
	LockedBy string `json:"locked_by,omitempty"`

	// MemoryLocked reports that the key's memory page is kept out of swap.
	MemoryLocked bool `json:"memory_locked"`

	// Since is when the key was opened. It is closed at IdleUntil unless it is used before, and at
	// Until in any case; nil is never.
	Since     time.Time  `json:"since"`
	IdleUntil *time.Time `json:"idle_until,omitzero"`
	Until     *time.Time `json:"until,omitzero"`

	// L1Block is the newest block the agent has seen, HeadAge is how many milliseconds ago it asked
	// the chain; nil before the first answer. HeadError is why the last read failed.
	L1Block   *format.Num `json:"l1_block,omitzero"`
	HeadAge   *format.Num `json:"head_age_ms,omitzero"`
	HeadError string      `json:"head_error,omitempty"`

	// Counts are what was signed and refused since the start.
	Counts Counts `json:"counts"`
}

// Counts are how many of each the agent has signed, and how many requests it refused.
type Counts struct {
	Batches      format.Num `json:"batches"`
	Tickets      format.Num `json:"tickets"`
	Requests     format.Num `json:"orchestrator_requests"`
	Transactions format.Num `json:"transactions"`
	Refused      format.Num `json:"refused"`
}

// factsDocument is pm.Facts with its age.
type factsDocument struct {
	L1Block      format.Num  `json:"l1_block"`
	Round        format.Num  `json:"round"`
	Hash         format.Hash `json:"round_block_hash"`
	PreviousHash format.Hash `json:"previous_round_block_hash"`
	Age          format.Num  `json:"age_ms"`

	Deposit       string `json:"deposit"`
	WithdrawRound string `json:"withdraw_round"`
	Reserve       string `json:"reserve"`
	Claimed       string `json:"claimed_in_current_round"`

	// Counterparties are those asked about.
	Counterparties []counterpartyFacts `json:"counterparties,omitempty"`
}

// counterpartyFacts are the chain's facts about a pm.Counterparty.
type counterpartyFacts struct {
	Recipient format.Address `json:"recipient"`
	Round     format.Num     `json:"round"`
	Active    bool           `json:"active"`
	Hash      format.Hash    `json:"round_block_hash"`
}

// formatAbout returns a counterparty as ADDRESS:ROUND.
func formatAbout(c pm.Counterparty) string { return fmt.Sprintf("%s:%d", c.Recipient.Hex(), c.Round) }

func parseAbout(texts []string) ([]pm.Counterparty, error) {
	if len(texts) > facts.MaxAbout {
		return nil, fmt.Errorf("%w: about: %d counterparties, at most %d", format.ErrSyntax, len(texts), facts.MaxAbout)
	}
	about := make([]pm.Counterparty, len(texts))
	for i, text := range texts {
		address, round, _ := strings.Cut(text, ":")
		n, err := strconv.ParseInt(round, 10, 64)
		if err != nil || n < 0 || !common.IsHexAddress(address) {
			return nil, fmt.Errorf("%w: about %.80q is not ADDRESS:ROUND", format.ErrSyntax, text)
		}
		about[i] = pm.Counterparty{Recipient: common.HexToAddress(address), Round: n}
	}
	return about, nil
}

func newFacts(f pm.Facts, age time.Duration, about []pm.Counterparty) (*factsDocument, error) {
	if !f.LastSeenL1Block.IsInt64() || !f.LastInitializedRound.IsInt64() {
		return nil, fmt.Errorf("the chain's block %v or round %v is wider than 63 bits", f.LastSeenL1Block, f.LastInitializedRound)
	}
	var counterparties []counterpartyFacts
	for _, c := range about {
		said := f.Counterparties[c]
		counterparties = append(counterparties, counterpartyFacts{format.Address(c.Recipient), format.Num(c.Round), said.Active, said.RoundHash})
	}
	return &factsDocument{
		Counterparties: counterparties,
		L1Block:        format.Num(f.LastSeenL1Block.Int64()), Round: format.Num(f.LastInitializedRound.Int64()),
		Hash: f.LastInitializedL1BlockHash, PreviousHash: f.PreLastInitializedL1BlockHash,
		Age:     format.Num(max(0, age.Milliseconds())),
		Deposit: f.Sender.Deposit.String(), WithdrawRound: f.Sender.WithdrawRound.String(),
		Reserve: f.Sender.Reserve.FundsRemaining.String(), Claimed: f.Sender.Reserve.ClaimedInCurrentRound.String(),
	}, nil
}

func (d *factsDocument) facts() (pm.Facts, error) {
	f := pm.Facts{
		LastSeenL1Block: big.NewInt(int64(d.L1Block)), LastInitializedRound: big.NewInt(int64(d.Round)),
		LastInitializedL1BlockHash: d.Hash, PreLastInitializedL1BlockHash: d.PreviousHash,
		Sender:         &pm.SenderInfo{Reserve: new(pm.ReserveInfo)},
		Counterparties: make(map[pm.Counterparty]pm.CounterpartyFacts, len(d.Counterparties)),
	}
	for _, c := range d.Counterparties {
		f.Counterparties[pm.Counterparty{Recipient: common.Address(c.Recipient), Round: int64(c.Round)}] = pm.CounterpartyFacts{Active: c.Active, RoundHash: c.Hash}
	}
	for _, amount := range []struct {
		name, text string
		into       **big.Int
	}{
		{"deposit", d.Deposit, &f.Sender.Deposit},
		{"withdraw_round", d.WithdrawRound, &f.Sender.WithdrawRound},
		{"reserve", d.Reserve, &f.Sender.Reserve.FundsRemaining},
		{"claimed_in_current_round", d.Claimed, &f.Sender.Reserve.ClaimedInCurrentRound},
	} {
		value, ok := new(big.Int).SetString(amount.text, 10)
		if !ok || value.Sign() < 0 || value.BitLen() > 256 {
			return f, &wire.FieldError{Field: amount.name, Got: fmt.Sprintf("%.80q", amount.text), Want: "a decimal number of up to 256 bits"}
		}
		*amount.into = value
	}
	return f, nil
}

// orchestratorRequest is a signed request for params.
type orchestratorRequest struct {
	Sender    format.Address `json:"sender"`
	Signature *format.Sig    `json:"signature,omitzero"`
}

// credentials requests the segment header for an auth token.
type credentials struct {
	Sender format.Address `json:"sender"`
	// Token is the recipient's auth token, a protobuf message.
	Token format.Bytes `json:"auth_token"`
}

// segmentHeader is the answer: the value of Livepeer-Segment.
type segmentHeader struct {
	Header string `json:"header"`
}

// order is a client's order of tickets.
type order struct {
	ChainID format.Nat `json:"chain_id"`
	StoreID string     `json:"store_id"`

	// Params are the recipient's answer, with the sender.
	Params *format.Params `json:"params,omitzero"`
	Count  uint32         `json:"tickets,omitzero"`

	// Ahead is how many more tickets the same payment takes, on other params: the limits apply to
	// all of them.
	Ahead uint32 `json:"ahead,omitzero"`

	// Round is the round that the client planned for. MaxHeadAge is how old, in milliseconds, the
	// agent's facts about the chain may be.
	Round      *format.ExpirationParams `json:"expiration_params,omitzero"`
	MaxHeadAge format.Num               `json:"max_head_age_ms,omitzero"`

	// Offline makes no checks against the chain.
	Offline bool `json:"offline,omitzero"`

	// InactiveOK allows a recipient that is not active.
	InactiveOK bool `json:"inactive_ok,omitzero"`

	// Request is the request that the tickets are for, if it has an ID. Without params, tickets
	// that were created for it before are signed again: Count from FirstNonce of the session.
	Request    *namedRequest `json:"request,omitzero"`
	Session    format.Hash   `json:"recipient_rand_hash,omitzero"`
	FirstNonce uint32        `json:"first_nonce,omitzero"`
}

type namedRequest struct {
	ID     string       `json:"id"`
	Digest string       `json:"digest"`
	Record format.Bytes `json:"record,omitempty"`
	After  string       `json:"after,omitempty"`
	Drawn  bool         `json:"drawn,omitzero"`
}

func (r *namedRequest) request() store.Request {
	return store.Request{ID: r.ID, Digest: r.Digest, Record: r.Record, After: r.After, Drawn: r.Drawn}
}

// signedTickets is the answer to an order.
type signedTickets struct {
	FirstNonce uint32 `json:"first_nonce"`
	Count      uint32 `json:"tickets"`

	// Before reports whether the request's tickets were created before: the nonces are theirs, and there
	// are no signatures.
	Before bool `json:"before,omitzero"`

	// Signatures are 65 bytes R‖S‖V for each nonce, in order.
	Signatures format.Bytes `json:"signatures,omitempty"`
}

// transaction is a transaction to sign, and the answer the signed one, encoded as in EIP-2718.
type transaction struct {
	ChainID     format.Nat     `json:"chain_id"`
	Sender      format.Address `json:"sender"`
	Transaction format.Hex     `json:"transaction"`
}

// receipt is one of the account's transactions that was mined.
type receipt struct {
	ChainID     format.Nat     `json:"chain_id"`
	Sender      format.Address `json:"sender"`
	Transaction format.Hash    `json:"transaction_hash"`
}
