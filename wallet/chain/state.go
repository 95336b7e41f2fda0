package chain

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/internal/nodes"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Round is the protocol's time.
type Round struct {
	// Current is the round at the present L1 block number.
	Current *big.Int

	// LastInitialized is the newest initialized round; tickets belong to it, and a withdrawal
	// counts rounds from it.
	LastInitialized *big.Int

	// Initialized is set once the current round has been initialized.
	Initialized bool

	// StartBlock is the first L1 block of the current round, and Length a round's number of L1
	// blocks.
	StartBlock, Length *big.Int

	// PoolSize is the number of active recipients, who share each reserve.
	PoolSize *big.Int
}

// Sender is a sender's funds.
type Sender struct {
	// Balance is the account's own ether.
	Balance wei.Wei

	broker.Funds
}

// Status is everything about a sender at one moment.
type Status struct {
	Head      Head
	Round     Round
	Sender    Sender
	Contracts Contracts

	// GasPrice is the node's suggestion, in wei per unit of gas.
	GasPrice wei.Wei

	// Paused is set while the contracts revert every transaction.
	Paused bool

	// UnlockPeriod is how many rounds an unlock takes.
	UnlockPeriod *big.Int

	// ReservePerRecipient is what one recipient can claim from the reserve in a round: an equal
	// share; 0 without active recipients.
	ReservePerRecipient wei.Wei
}

// Status reads everything about a sender, in one request if the contracts are known or remembered.
func (c *Client) Status(ctx context.Context, sender common.Address) (*Status, error) {
	a := new(statusAnswer)
	var err error
	a.Contracts, err = c.ask(ctx, func(b *batch, contracts Contracts) { b.status(contracts, sender, a) })
	if err != nil {
		return nil, err
	}
	return a.finish(c.Quoted(ctx, &a.quote))
}

type statusAnswer struct {
	Status
	quote nodes.Quoting // the cost of its call, if there is one
}

func (b *batch) status(contracts Contracts, sender common.Address, into *statusAnswer) {
	ticketBroker, controller := contract.NewTicketBroker(), contract.NewController()
	b.Quote(sender, &into.quote)
	b.round(contracts, &into.Round)
	b.funds(contracts, sender, &into.Sender.Funds)
	call(b, contracts.TicketBroker, ticketBroker.PackUnlockPeriod(), ticketBroker.UnpackUnlockPeriod, &into.UnlockPeriod)
	call(b, contracts.Controller, controller.PackPaused(), controller.UnpackPaused, &into.Paused)
}

func (a *statusAnswer) finish(q *nodes.Quote) (*Status, error) {
	gasPrice, err := a.quote.GasPrice(q)
	if err != nil {
		return nil, err
	}
	s := &a.Status
	s.Head = q.Head
	if s.GasPrice, err = wei.FromBig(gasPrice); err != nil {
		return nil, err
	}
	if s.Sender.Balance, err = wei.FromBig(q.Balance); err != nil {
		return nil, err
	}
	s.ReservePerRecipient, err = s.Sender.Share(s.Round.PoolSize)
	return s, err
}

// l1BlockTime is the time between L1 blocks, unless one is missed.
const l1BlockTime = 12 * time.Second

// Lock is the state of the sender's funds, and RoundsLeft how many rounds have to pass before
// a withdrawal.
func (s *Status) Lock() broker.Lock    { return s.Sender.Lock(s.Round.Current) }
func (s *Status) RoundsLeft() *big.Int { return s.Sender.RoundsLeft(s.Round.Current) }

// WithdrawTime returns when the sender's withdraw round begins, estimated with 12 seconds per
// block, and false if no round is awaited.
func (s *Status) WithdrawTime() (time.Time, bool) {
	left := s.RoundsLeft()
	if s.Lock() != broker.Unlocking {
		return time.Time{}, false
	}
	begins := left.Mul(left, s.Round.Length)
	begins.Add(begins, s.Round.StartBlock)
	blocks := begins.Sub(begins, new(big.Int).SetUint64(s.Head.L1Block))
	const longest = 1 << 29 // blocks; a longer time would overflow a duration
	if !blocks.IsInt64() || blocks.Int64() > longest {
		return time.Time{}, false
	}
	return s.Head.Time.Add(time.Duration(blocks.Int64()) * l1BlockTime), true
}

func (b *batch) round(contracts Contracts, into *Round) {
	rounds, bonding := contract.NewRoundsManager(), contract.NewBondingManager()
	call(b, contracts.RoundsManager, rounds.PackCurrentRound(), rounds.UnpackCurrentRound, &into.Current)
	call(b, contracts.RoundsManager, rounds.PackLastInitializedRound(), rounds.UnpackLastInitializedRound, &into.LastInitialized)
	call(b, contracts.RoundsManager, rounds.PackCurrentRoundInitialized(), rounds.UnpackCurrentRoundInitialized, &into.Initialized)
	call(b, contracts.RoundsManager, rounds.PackCurrentRoundStartBlock(), rounds.UnpackCurrentRoundStartBlock, &into.StartBlock)
	call(b, contracts.RoundsManager, rounds.PackRoundLength(), rounds.UnpackRoundLength, &into.Length)
	call(b, contracts.BondingManager, bonding.PackGetTranscoderPoolSize(), bonding.UnpackGetTranscoderPoolSize, &into.PoolSize)
}

func (b *batch) funds(contracts Contracts, sender common.Address, into *broker.Funds) {
	call(b, contracts.TicketBroker, broker.AskFunds(sender), broker.ReadFunds, into)
}

// Facts reads what a sender needs to check params, and the data of counterparties, in one
// request if the contracts are known, and the round is remembered or in a counterparty's
// params. It fails with *StaleError if the node is behind: expired params could look valid.
func (c *Client) Facts(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, error) {
	var head Head
	var funds broker.Funds
	var last *big.Int
	// Rounds take a day: the last one is most likely the remembered one, the one in the params,
	// or the next.
	known := c.memory.recall().Round
	for _, counterparty := range about {
		known = max(known, uint64(max(0, counterparty.Round)))
	}
	guess := new(big.Int).SetUint64(known)
	next := new(big.Int).Add(guess, big.NewInt(1))
	var hashes [2][32]byte
	var nextHash [32]byte
	others := make([]pm.CounterpartyFacts, len(about))
	rounds := contract.NewRoundsManager()
	contracts, err := c.ask(ctx, func(b *batch, contracts Contracts) {
		b.Head(&head)
		b.funds(contracts, sender, &funds)
		call(b, contracts.RoundsManager, rounds.PackLastInitializedRound(), rounds.UnpackLastInitializedRound, &last)
		b.roundHashes(contracts, guess, &hashes)
		b.roundHash(contracts, next, &nextHash)
		for i := range others {
			b.counterparty(contracts, about[i], &others[i])
		}
	})
	if err != nil {
		return pm.Facts{}, err
	}
	c.newest.Store(&head)
	if err := c.UpToDate(head); err != nil {
		return pm.Facts{}, err
	}
	switch {
	case last.Cmp(next) == 0 && nextHash != [32]byte{}: // it was initialized when its hash was read
		hashes = [2][32]byte{nextHash, hashes[0]}
	case last.Cmp(guess) != 0:
		hashes = [2][32]byte{}
		b := new(batch)
		b.roundHashes(contracts, last, &hashes)
		if err := c.Do(ctx, &b.Batch); err != nil {
			return pm.Facts{}, fmt.Errorf("read the block hash of round %v: %w", last, err)
		}
	}
	if last.IsUint64() {
		c.memory.learn(func(known *remembered) bool {
			changed := known.Round != last.Uint64()
			known.Round = last.Uint64()
			return changed
		})
	}
	facts := pm.Facts{
		LastSeenL1Block:               new(big.Int).SetUint64(head.L1Block),
		LastInitializedRound:          last,
		LastInitializedL1BlockHash:    hashes[0],
		PreLastInitializedL1BlockHash: hashes[1],
		Sender:                        funds.Info(),
	}
	if len(about) > 0 {
		facts.Counterparties = make(map[pm.Counterparty]pm.CounterpartyFacts, len(about))
	}
	for i, counterparty := range about {
		facts.Counterparties[counterparty] = others[i]
	}
	return facts, nil
}

// counterparty reads a recipient's data and the round of its params.
func (b *batch) counterparty(contracts Contracts, about pm.Counterparty, into *pm.CounterpartyFacts) {
	bonding := contract.NewBondingManager()
	call(b, contracts.BondingManager, bonding.PackIsActiveTranscoder(about.Recipient), bonding.UnpackIsActiveTranscoder, &into.Active)
	if about.Round > 0 {
		b.roundHash(contracts, big.NewInt(about.Round), &into.RoundHash)
	}
}

func (b *batch) roundHashes(contracts Contracts, round *big.Int, into *[2][32]byte) {
	b.roundHash(contracts, round, &into[0])
	if round.Sign() > 0 {
		b.roundHash(contracts, new(big.Int).Sub(round, big.NewInt(1)), &into[1])
	}
}

// roundHash appends a read of a round's L1 block hash; zero before the round is initialized.
func (b *batch) roundHash(contracts Contracts, round *big.Int, into *[32]byte) {
	rounds := contract.NewRoundsManager()
	call(b, contracts.RoundsManager, rounds.PackBlockHashForRound(round), rounds.UnpackBlockHashForRound, into)
}
