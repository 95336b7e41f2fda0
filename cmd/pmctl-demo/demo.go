package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"

	"github.com/pmctl/pmctl/wallet/wei"
)

// The demo's amounts. A payment is a few tickets' worth.
const (
	gift    = "10eth"
	deposit = "1eth"
	reserve = "1eth"
	payment = "2000gwei"

	callDeposit, callReserve = "0.01eth", "0.1eth"
)

const (
	batchSize = 10
	// maxTickets limits the number of tickets before one has won: with a chance near 1/4 each,
	// 50 miss once in two million demos.
	maxTickets = 50
	// paramsLife is how many blocks params last; winners are redeemed after it.
	paramsLife = 40
)

// demo shows the main task and returns an error unless it worked.
func demo(ctx context.Context, bin string, out io.Writer) (err error) {
	s, err := newStage(bin, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()

	s.say("A local network: a chain, the contracts, and a recipient that accepts payments.")
	network, err := s.startNetwork(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, network.stop()) }()
	acts := []func(context.Context, *stage, *tally) error{makeAccount, fund, payByHeaders, payUntilWon, redeem, withdraw, callApp}
	var t tally
	for _, act := range acts {
		if err := act(ctx, s, &t); err != nil {
			return err
		}
	}
	s.say("Tickets accepted: %d of %d. Winners redeemed: %d. Withdrawn: %s.\nCalls paid: 1. All read from the recipient's own count and from the chain.",
		t.accepted, t.minted, t.redeemed, t.withdrawn)
	return nil
}

// tally is what the demo counts, and checks at the end.
type tally struct {
	address   string
	minted    uint64
	accepted  uint64
	redeemed  uint64
	deposit   *big.Int // before winners were redeemed
	withdrawn wei.Wei
}

func makeAccount(ctx context.Context, s *stage, t *tally) error {
	s.say("An account, in an empty folder. The passphrase comes from a file that only you can read.")
	if err := os.WriteFile(filepath.Join(s.dir, "passphrase"), []byte("correct horse battery staple\n"), 0o600); err != nil {
		return err
	}
	if _, err := s.run(ctx, "pmctl account new"); err != nil {
		return err
	}
	var accounts struct {
		Accounts []struct{ Address string }
	}
	if err := s.ask(ctx, &accounts, "pmctl", "account", "list", "-o", "json"); err != nil {
		return err
	}
	if len(accounts.Accounts) != 1 {
		return fmt.Errorf("%d accounts instead of one", len(accounts.Accounts))
	}
	t.address = accounts.Accounts[0].Address
	_, err := s.run(ctx, "pmctl-devnet faucet "+t.address+" "+gift)
	return err
}

func fund(ctx context.Context, s *stage, _ *tally) error {
	s.say("A deposit pays winning tickets, a reserve backs them.")
	if _, err := s.run(ctx, "pmctl fund --deposit "+deposit+" --reserve "+reserve+" --yes"); err != nil {
		return err
	}
	_, err := s.run(ctx, "pmctl status")
	return err
}

func payByHeaders(ctx context.Context, s *stage, t *tally) error {
	s.say("The recipient's price and ticket params.")
	if _, err := s.run(ctx, "pmctl params fetch "+s.url); err != nil {
		return err
	}
	s.say("A batch of signed tickets, minted into a pipe and delivered from it.")
	if _, err := s.run(ctx, "pmctl params fetch "+s.url+" -o json > params.json"); err != nil {
		return err
	}
	if _, err := s.run(ctx, fmt.Sprintf("pmctl ticket batch --params params.json --count %d -o headers | pmctl ticket deliver %s", batchSize, s.url)); err != nil {
		return err
	}
	t.minted += batchSize
	return t.count(ctx, s)
}

func payUntilWon(ctx context.Context, s *stage, t *tally) error {
	s.say("Or everything in one command. About one ticket in four wins here.")
	for won := uint64(0); won == 0; {
		if t.minted >= maxTickets {
			return fmt.Errorf("none of %d tickets won", t.minted)
		}
		out, err := s.run(ctx, "pmctl pay "+s.url+" --value "+payment+" -o json")
		if err != nil {
			return err
		}
		var paid struct{ Data struct{ Tickets uint64 } }
		if err := json.Unmarshal(out, &paid); err != nil {
			return err
		}
		t.minted += paid.Data.Tickets
		status, err := s.recipient(ctx)
		if err != nil {
			return err
		}
		won = status.Tickets.Won
	}
	return t.count(ctx, s)
}

func redeem(ctx context.Context, s *stage, t *tally) error {
	before, err := s.funds(ctx)
	if err != nil {
		return err
	}
	t.deposit = before.deposit
	s.say("The recipient redeems winners once their params have expired, %d blocks after they were made.", paramsLife)
	if _, err := s.run(ctx, fmt.Sprintf("pmctl-devnet mine %d", paramsLife+2)); err != nil {
		return err
	}
	status, err := s.redemption(ctx)
	if err != nil {
		return err
	}
	t.redeemed = status.Tickets.Redeemed
	if _, err := s.run(ctx, "pmctl-devnet recipient"); err != nil {
		return err
	}
	s.say("Their face value has left the deposit.")
	if _, err := s.run(ctx, "pmctl status"); err != nil {
		return err
	}
	after, err := s.funds(ctx)
	if err != nil {
		return err
	}
	paid := new(big.Int).Sub(t.deposit, after.deposit)
	if paid.String() != status.Tickets.RedeemedWei {
		return fmt.Errorf("the deposit went down by %v wei, the redeemed tickets are worth %s", paid, status.Tickets.RedeemedWei)
	}
	return nil
}

func withdraw(ctx context.Context, s *stage, t *tally) error {
	s.say("To get the funds back: unlock, wait, withdraw.")
	if _, err := s.run(ctx, "pmctl unlock --yes"); err != nil {
		return err
	}
	var status struct {
		RoundsLeft uint64 `json:"rounds_left"`
	}
	if err := s.ask(ctx, &status, "pmctl", "status", "-o", "json"); err != nil {
		return err
	}
	if _, err := s.run(ctx, fmt.Sprintf("pmctl-devnet round %d", status.RoundsLeft)); err != nil {
		return err
	}
	before, err := s.funds(ctx)
	if err != nil {
		return err
	}
	out, err := s.run(ctx, "pmctl withdraw --yes -o json")
	if err != nil {
		return err
	}
	var withdrawal struct{ Data struct{ Fee string } }
	if err := json.Unmarshal(out, &withdrawal); err != nil {
		return err
	}
	fee, ok := new(big.Int).SetString(withdrawal.Data.Fee, 10)
	if !ok {
		return fmt.Errorf("the fee %q is not a number", withdrawal.Data.Fee)
	}
	if _, err := s.run(ctx, "pmctl status"); err != nil {
		return err
	}
	after, err := s.funds(ctx)
	if err != nil {
		return err
	}
	gained := new(big.Int).Sub(after.balance, before.balance)
	gained.Add(gained, fee)
	held := new(big.Int).Add(before.deposit, before.reserve)
	if gained.Cmp(held) != 0 || after.deposit.Sign() != 0 || after.reserve.Sign() != 0 {
		return fmt.Errorf("the account received %v wei of the %v wei that it had in the contract", gained, held)
	}
	t.withdrawn, err = wei.FromBig(held)
	return err
}

// callApp calls an app that is paid by the call.
func callApp(ctx context.Context, s *stage, t *tally) error {
	s.say("The recipient also runs apps, which are paid by the call or by the second.")
	if _, err := s.run(ctx, "pmctl runner list "+s.url); err != nil {
		return err
	}
	s.say("A smaller deposit is enough to call one. It answers once it is paid.")
	if _, err := s.run(ctx, "pmctl fund --deposit "+callDeposit+" --reserve "+callReserve+" --yes"); err != nil {
		return err
	}
	if _, err := s.run(ctx, "pmctl call "+s.url+"/apps/fixed1/app --max-price 500gwei/call -d hello > answer"); err != nil {
		return err
	}
	answer, err := s.run(ctx, "cat answer")
	if err != nil {
		return err
	}
	t.minted++ // a ticket is worth more than the call costs
	status, err := s.recipient(ctx)
	if err != nil {
		return err
	}
	if string(answer) != "hello" || len(status.Sessions) != 1 || status.Sessions[0].Cost != "500000000000" {
		return fmt.Errorf("the app answered %q, and the recipient counts %+v", answer, status.Sessions)
	}
	return t.count(ctx, s)
}

// count checks that the recipient accepted what was minted.
func (t *tally) count(ctx context.Context, s *stage) error {
	status, err := s.recipient(ctx)
	if err != nil {
		return err
	}
	t.accepted = status.Tickets.Accepted
	if t.accepted != t.minted {
		return fmt.Errorf("the recipient accepted %d of %d minted tickets", t.accepted, t.minted)
	}
	return nil
}
