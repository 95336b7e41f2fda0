package devnet_test

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/contracts"
)

// rung is a step of a test that begins with a call that fails every check, and then fixes one
// after the other: so the order of the checks is tested with their reasons.
type rung struct {
	reason string
	fix    func() // makes the check pass
}

func climb(t *testing.T, call func() string, rungs []rung) {
	t.Helper()
	for _, r := range rungs {
		require.Equal(t, r.reason, call())
		r.fix()
	}
	require.Empty(t, call(), "all checks pass")
}

func (w *world) pause(on bool) {
	w.t.Helper()
	require.NoError(w.t, w.net.SetPaused(w.t.Context(), on))
}

func (w *world) rounds(n uint64) {
	w.t.Helper()
	require.NoError(w.t, w.net.NextRound(w.t.Context(), n))
}

func (w *world) register(name string, address common.Address) {
	w.t.Helper()
	require.NoError(w.t, w.net.Register(w.t.Context(), name, address))
}

func TestRedeemRefusals(t *testing.T) {
	w := newWorld(t, devnet.Config{RoundLength: 30, UnlockPeriod: 1})
	ctx := t.Context()
	recipient := common.Address{0xaa}
	target := w.net.Contracts()["TicketBrokerTarget"]
	// emptyAndUnlock leaves the sender without funds and with its withdraw round set.
	emptyAndUnlock := func() {
		w.do(w.sender, milli(1), "fundReserve")
		w.do(w.sender, nil, "unlock")
		w.rounds(1)
		w.do(w.sender, nil, "withdraw")
	}
	// thisRound makes a ticket one of the current round.
	thisRound := func(tk *ticket) { tk.AuxData = w.auxData(w.number(contracts.RoundsManager, "currentRound")) }

	// Every check fails: the system, the round, the ticket, its signature, its odds, its sender
	// and its recipient.
	w.rounds(2)
	emptyAndUnlock()
	w.net.SetKeepRounds(false)
	require.NoError(t, w.net.Mine(ctx, 30))
	w.pause(true)
	w.register("TicketBrokerTarget", common.Address{})
	bad := w.winner(1, common.Address{}, milli(1))
	bad.Sender, bad.AuxData, bad.WinProb, bad.rand = common.Address{}, []byte{1, 2, 3}, new(big.Int), big.NewInt(43)
	sig := []byte{1, 2, 3}

	climb(t, func() string {
		return w.refusal(w.other, nil, "redeemWinningTicket", bad, sig, bad.rand)
	}, []rung{
		{"target contract must be registered", func() { w.register("TicketBrokerTarget", target) }},
		{"system is paused", func() { w.pause(false) }},
		{"current round is not initialized", func() {
			w.net.SetKeepRounds(true)
			w.rounds(1)
		}},
		{"ticket recipient is null address", func() { bad.Recipient = recipient }},
		{"ticket sender is null address", func() { bad.Sender = w.sender.Address }},
		{"invalid length for ticket auxData: must be 64 bytes", func() {
			bad.AuxData = make([]byte, 64)
			bad.AuxData[31] = 200 // a round that is still to come
		}},
		{"ticket creationRound does not have a block hash", func() { bad.AuxData[31] = 1 }},
		{"ticket creationRoundBlockHash invalid for creationRound", func() { bad.AuxData = w.auxData(common.Big1) }},
		{"ticket is expired", func() { thisRound(&bad) }},
		{"recipientRand does not match recipientRandHash", func() {
			bad.rand = big.NewInt(42)
			// Another account has redeemed a winner with this hash.
			require.NoError(t, w.net.AddTranscoder(ctx, recipient))
			w.do(w.sender, milli(1), "fundDeposit")
			bad.WinProb = always
			w.redeem(bad)
			require.NoError(t, w.net.RemoveTranscoder(ctx, recipient))
			require.Equal(t, true, w.view(contracts.TicketBroker, "usedTickets",
				w.view(contracts.TicketBroker, "getTicketHash", bad)[0])[0])
		}},
		{"ticket is used", func() {
			emptyAndUnlock()
			thisRound(&bad)
			bad.SenderNonce, bad.WinProb = common.Big2, new(big.Int)
		}},
		{"INVALID_SIGNATURE_LENGTH", func() {
			sig = make([]byte, 65)
			sig[32] = 0xff // S above half the order; V is 0
		}},
		{"ECDSA: invalid signature 's' value", func() { sig[32] = 0 }},
		{"ECDSA: invalid signature 'v' value", func() { sig[64] = 27 }},
		{"ECDSA: invalid signature", func() { sig = w.signature(w.other.Key, bad) }},
		{"invalid signature over ticket hash", func() { sig = w.signature(w.sender.Key, bad) }},
		{"ticket did not win", func() {
			bad.WinProb = always
			sig = w.signature(w.sender.Key, bad)
		}},
		{"sender is unlocked", func() { w.do(w.sender, nil, "cancelUnlock") }},
		{"sender deposit and reserve are zero", func() { w.do(w.sender, milli(5), "fundDeposit") }},
		{"transcoder must be registered", func() { require.NoError(t, w.net.AddTranscoder(ctx, recipient)) }},
	})
}

func TestV0AndV1AreRefused(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	w.do(w.sender, milli(1), "fundDeposit")
	won := w.winner(1, common.Address{0xaa}, milli(1))
	sig := w.signature(w.sender.Key, won)
	sig[64] -= 27
	require.Equal(t, "ECDSA: invalid signature 'v' value", w.refusal(w.other, nil, "redeemWinningTicket", won, sig, won.rand))
}

func TestBatchRefusals(t *testing.T) {
	w := newWorld(t, devnet.Config{RoundLength: 5, ManualRounds: true})
	require.NoError(t, w.net.Mine(t.Context(), 5))
	w.pause(true)
	climb(t, func() string {
		return w.refusal(w.other, nil, "batchRedeemWinningTickets", []ticket{}, [][]byte{}, []*big.Int{})
	}, []rung{
		{"system is paused", func() { w.pause(false) }},
		{"current round is not initialized", func() { w.rounds(1) }},
	})
}

func TestFundingRefusals(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	broker := w.net.Contracts()[contracts.TicketBroker]
	w.register("JobsManager", common.Address{})
	one, two := big.NewInt(1), big.NewInt(2)
	overflow := new(big.Int).Set(always) // + 2 is 1 modulo 2^256

	for name, call := range map[string]func(value *big.Int) string{
		"fundDeposit":           func(v *big.Int) string { return w.refusal(w.sender, v, "fundDeposit") },
		"fundReserve":           func(v *big.Int) string { return w.refusal(w.sender, v, "fundReserve") },
		"fundDepositAndReserve": func(v *big.Int) string { return w.refusal(w.sender, v, "fundDepositAndReserve", one, two) },
		"fundDepositAndReserveFor": func(v *big.Int) string {
			return w.refusal(w.sender, v, "fundDepositAndReserveFor", w.other.Address, one, two)
		},
	} {
		t.Run(name, func(t *testing.T) {
			value := big.NewInt(4)
			w.pause(true)
			rungs := []rung{{"system is paused", func() { w.pause(false) }}}
			if name != "fundDeposit" && name != "fundReserve" {
				rungs = append(rungs, rung{"msg.value does not equal sum of deposit amount and reserve amount", func() { value = big.NewInt(3) }})
			}
			rungs = append(rungs, rung{"msg.sender not Minter or JobsManager", func() { w.register("JobsManager", broker) }})
			climb(t, func() string { return call(value) }, rungs)
			w.register("JobsManager", common.Address{})
		})
	}
	require.Equal(t, "msg.value does not equal sum of deposit amount and reserve amount",
		w.refusal(w.sender, one, "fundDepositAndReserve", overflow, two))
}

func TestUnlockRefusals(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	w.pause(true)
	unlock := func() string { return w.refusal(w.sender, nil, "unlock") }
	cancel := func() string { return w.refusal(w.sender, nil, "cancelUnlock") }

	require.Equal(t, "system is paused", cancel())
	climb(t, unlock, []rung{
		{"system is paused", func() { w.pause(false) }},
		{"sender deposit and reserve are zero", func() { w.do(w.sender, milli(1), "fundReserve") }},
	})
	climb(t, cancel, []rung{
		{"no unlock request in progress", func() { w.do(w.sender, nil, "unlock") }},
	})
	climb(t, unlock, []rung{
		{"unlock already initiated", func() { w.do(w.sender, nil, "cancelUnlock") }},
	})
}

func TestWithdrawRefusals(t *testing.T) {
	w := newWorld(t, devnet.Config{RoundLength: 5, UnlockPeriod: 2})
	w.pause(true)
	climb(t, func() string { return w.refusal(w.sender, nil, "withdraw") }, []rung{
		{"system is paused", func() { w.pause(false) }},
		{"sender deposit and reserve are zero", func() { w.do(w.sender, milli(1), "fundDeposit") }},
		{"no unlock request in progress", func() { w.do(w.sender, nil, "unlock") }},
		{"account is locked", func() { w.rounds(1) }},
		{"account is locked", func() { w.rounds(1) }},
	})
}

func TestInitializeRoundRefusals(t *testing.T) {
	w := newWorld(t, devnet.Config{RoundLength: 5, ManualRounds: true})
	w.pause(true)
	climb(t, func() string { return w.refusalBy(contracts.RoundsManager, w.other, nil, "initializeRound") }, []rung{
		{"system is paused", func() { w.pause(false) }},
		{"round already initialized", func() { require.NoError(t, w.net.Mine(t.Context(), 5)) }},
	})
}

// A refused transaction is mined as a failed one: its receipt says so, and nothing changes.
func TestRefusedTransactionFails(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	receipt := w.send(w.sender, w.message(w.sender.Address, nil, contracts.TicketBroker, "unlock"))
	require.Equal(t, types.ReceiptStatusFailed, receipt.Status)
	require.Empty(t, receipt.Logs)
	require.Equal(t, false, w.view(contracts.TicketBroker, "isUnlockInProgress", w.sender.Address)[0])
}
