package devnet_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/contracts"
)

func TestFunding(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	me, other := w.sender.Address, w.other.Address

	require.Equal(t, []string{fmt.Sprintf("DepositFunded %s %s", me, milli(5))},
		w.events(w.do(w.sender, milli(5), "fundDeposit")))
	require.Equal(t, []string{fmt.Sprintf("ReserveFunded %s %s", me, milli(7))},
		w.events(w.do(w.sender, milli(7), "fundReserve")))
	require.Equal(t, []string{fmt.Sprintf("DepositFunded %s %s", me, milli(1)), fmt.Sprintf("ReserveFunded %s %s", me, milli(2))},
		w.events(w.do(w.sender, milli(3), "fundDepositAndReserve", milli(1), milli(2))))
	require.Equal(t, []string{fmt.Sprintf("DepositFunded %s %s", me, milli(10)), fmt.Sprintf("ReserveFunded %s %s", me, milli(20))},
		w.events(w.do(w.other, milli(30), "fundDepositAndReserveFor", me, milli(10), milli(20))))

	require.Equal(t, senderInfo{milli(16).String(), "0", milli(29).String(), "0"}, w.info(me))
	require.Equal(t, senderInfo{"0", "0", "0", "0"}, w.info(other))
	require.Equal(t, milli(45), w.balance(w.net.Contracts()[contracts.Minter]), "the minter holds all of it")
	require.Zero(t, w.balance(w.net.Contracts()[contracts.TicketBroker]).Sign())
}

func (w *world) balance(address common.Address) *big.Int {
	w.t.Helper()
	balance, err := w.eth.BalanceAt(w.t.Context(), address, nil)
	require.NoError(w.t, err)
	return balance
}

func TestFundingCancelsOnlyOnesOwnUnlock(t *testing.T) {
	w := newWorld(t, devnet.Config{UnlockPeriod: 3})
	me := w.sender.Address
	w.do(w.sender, milli(1), "fundDeposit")

	unlocked := func() bool { return w.view(contracts.TicketBroker, "isUnlockInProgress", me)[0].(bool) }
	for name, fund := range map[string]func() *types.Receipt{
		"fundDeposit":           func() *types.Receipt { return w.do(w.sender, milli(1), "fundDeposit") },
		"fundReserve":           func() *types.Receipt { return w.do(w.sender, milli(1), "fundReserve") },
		"fundDepositAndReserve": func() *types.Receipt { return w.do(w.sender, milli(2), "fundDepositAndReserve", milli(1), milli(1)) },
		"nothing":               func() *types.Receipt { return w.do(w.sender, nil, "fundDeposit") },
		"fundDepositAndReserveFor oneself": func() *types.Receipt {
			return w.do(w.sender, nil, "fundDepositAndReserveFor", me, common.Big0, common.Big0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, []string{fmt.Sprintf("Unlock %s 1 4", me)}, w.events(w.do(w.sender, nil, "unlock")))
			require.True(t, unlocked())

			w.do(w.other, milli(2), "fundDepositAndReserveFor", me, milli(1), milli(1))
			require.True(t, unlocked(), "others cannot cancel it")

			require.Contains(t, w.events(fund()), fmt.Sprintf("UnlockCancelled %s", me))
			require.False(t, unlocked())
			require.Equal(t, "0", w.info(me).withdrawRound)
		})
	}
	w.do(w.sender, nil, "unlock")
	require.Equal(t, []string{fmt.Sprintf("UnlockCancelled %s", me)}, w.events(w.do(w.sender, nil, "cancelUnlock")))
}

func TestWithdraw(t *testing.T) {
	w := newWorld(t, devnet.Config{UnlockPeriod: 2})
	me := w.sender.Address
	w.do(w.sender, milli(30), "fundDepositAndReserve", milli(10), milli(20))
	w.do(w.sender, nil, "unlock")

	// Until the withdraw round, tickets can be redeemed.
	recipient := common.Address{0xaa}
	require.NoError(t, w.net.AddTranscoder(t.Context(), recipient))
	w.rounds(1)
	w.redeem(w.winner(1, recipient, milli(1)))
	w.rounds(1)
	late := w.winner(2, recipient, milli(1))
	require.Equal(t, "sender is unlocked",
		w.refusal(w.other, nil, "redeemWinningTicket", late, w.signature(w.sender.Key, late), late.rand))

	before := w.balance(me)
	receipt := w.do(w.sender, nil, "withdraw")
	require.Equal(t, []string{fmt.Sprintf("Withdrawal %s %s %s", me, milli(9), milli(20))}, w.events(receipt))
	gas := new(big.Int).Mul(receipt.EffectiveGasPrice, new(big.Int).SetUint64(receipt.GasUsed))
	require.Equal(t, new(big.Int).Sub(new(big.Int).Add(before, milli(29)), gas), w.balance(me))
	require.Equal(t, milli(1), w.balance(w.net.Contracts()[contracts.Minter]), "what the recipient has earned stays")

	// The withdraw round stays set until the next unlock or funding.
	require.Equal(t, senderInfo{"0", "3", "0", "0"}, w.info(me))
	require.Equal(t, true, w.view(contracts.TicketBroker, "isUnlockInProgress", me)[0])
	w.do(w.other, milli(1), "fundDepositAndReserveFor", me, milli(1), common.Big0)
	require.Equal(t, "unlock already initiated", w.refusal(w.sender, nil, "unlock"))
	w.do(w.sender, nil, "withdraw")
	w.do(w.sender, milli(1), "fundDeposit")
	require.Equal(t, senderInfo{milli(1).String(), "0", "0", "0"}, w.info(me))
}

// A payment is a plain transfer: an account whose code needs more than 2300 gas cannot
// withdraw.
func TestWithdrawToContractWallet(t *testing.T) {
	w := newWorld(t, devnet.Config{UnlockPeriod: 1})
	broker := w.net.Contracts()[contracts.TicketBroker]

	// With call data it calls the broker and returns whether that succeeded. Without, it
	// receives a payment: then it writes to storage, which takes more than 2300 gas.
	runtime := hexutil.MustDecode("0x" +
		"36600957" + // jump to 9 if there is call data
		"60015f5500" + // sstore(0, 1), stop
		"5b365f5f37" + // 9: calldatacopy(0, 0, size)
		"5f5f365f5f73" + broker.Hex()[2:] + "5af1" + // call(gas, broker, 0, 0, size, 0, 0)
		"5f5260205ff3") // return the result as a word
	creation := append([]byte{0x60, byte(len(runtime)), 0x80, 0x60, 0x09, 0x5f, 0x39, 0x5f, 0xf3}, runtime...)
	wallet := w.send(w.sender, ethereum.CallMsg{Data: creation}).ContractAddress

	w.do(w.sender, milli(2), "fundDepositAndReserveFor", wallet, milli(1), milli(1))
	call := func(method string) (succeeded bool) {
		msg := w.message(w.sender.Address, nil, contracts.TicketBroker, method)
		msg.To = &wallet
		answer, err := w.eth.CallContract(t.Context(), msg, nil)
		require.NoError(t, err)
		w.send(w.sender, msg)
		return new(big.Int).SetBytes(answer).Sign() != 0
	}
	require.True(t, call("unlock"))
	w.rounds(1)
	require.Equal(t, common.Big2, w.number(contracts.RoundsManager, "currentRound"), "the withdraw round has come")
	require.False(t, call("withdraw"))
	require.Equal(t, senderInfo{milli(1).String(), "2", milli(1).String(), "0"}, w.info(wallet), "nothing is lost")
}

func TestRedeemFromDeposit(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	recipient := common.Address{0xaa}
	require.NoError(t, w.net.AddTranscoder(t.Context(), recipient))
	w.do(w.sender, milli(30), "fundDepositAndReserve", milli(10), milli(20))

	won := w.winner(1, recipient, milli(10))
	require.Equal(t, []string{
		fmt.Sprintf("TranscoderFeesUpdated %s %s 1", recipient, milli(10)),
		fmt.Sprintf("WinningTicketTransfer %s %s %s", w.sender.Address, recipient, milli(10)),
		fmt.Sprintf("WinningTicketRedeemed %s %s %s %s 1 42 %v", w.sender.Address, recipient, milli(10), always, won.AuxData),
	}, w.redeem(won))
	require.Equal(t, senderInfo{"0", "0", milli(20).String(), "0"}, w.info(w.sender.Address), "exactly the deposit leaves the reserve alone")
	require.Equal(t, milli(10), w.number(contracts.BondingManager, "fees", recipient))
	require.Equal(t, milli(10), w.number(contracts.BondingManager, "feesForRound", recipient, common.Big1))
	require.Equal(t, milli(30), w.balance(w.net.Contracts()[contracts.Minter]), "redeeming moves no ETH")
}

func TestRedeemShortfallFromReserve(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	a, b, c := common.Address{0xaa}, common.Address{0xbb}, common.Address{0xcc}
	for _, transcoder := range []common.Address{a, b, c} {
		require.NoError(t, w.net.AddTranscoder(t.Context(), transcoder))
	}
	me := w.sender.Address
	reserve := new(big.Int).Add(milli(30), common.Big2) // a third is rounded down
	w.do(w.sender, new(big.Int).Add(milli(5), reserve), "fundDepositAndReserve", milli(5), reserve)
	claimable := func(who common.Address) *big.Int {
		return w.number(contracts.TicketBroker, "claimableReserve", me, who)
	}
	claimed := func(who common.Address) string {
		return w.number(contracts.TicketBroker, "claimedReserve", me, who).String()
	}
	require.Equal(t, milli(10), claimable(a))

	// 11 = 5 of the deposit and 6 of the reserve.
	require.Contains(t, w.redeem(w.winner(1, a, milli(11))), fmt.Sprintf("ReserveClaimed %s %s %s", me, a, milli(6)))
	require.Equal(t, senderInfo{"0", "0", new(big.Int).Sub(reserve, milli(6)).String(), milli(6).String()}, w.info(me))
	require.Equal(t, milli(4), claimable(a))
	require.Equal(t, milli(10), claimable(b), "the other shares are unchanged")
	require.Equal(t, milli(6).String(), claimed(a))
	require.Equal(t, "0", claimed(b))

	// Only 4 are left for a, whatever it won.
	require.Contains(t, w.redeem(w.winner(2, a, milli(100))), fmt.Sprintf("WinningTicketTransfer %s %s %s", me, a, milli(4)))
	require.Zero(t, claimable(a).Sign())

	// Nothing is left for a: the ticket is used all the same.
	nothing := w.winner(3, a, milli(1))
	require.Equal(t, []string{fmt.Sprintf("WinningTicketRedeemed %s %s %s %s 3 42 %v", me, a, milli(1), always, nothing.AuxData)}, w.redeem(nothing))
	require.Equal(t, "ticket is used", w.refusal(w.other, nil, "redeemWinningTicket", nothing, w.signature(w.sender.Key, nothing), nothing.rand))

	// b has its own share; a third of the rest is everyone's in the next round.
	w.redeem(w.winner(4, b, milli(10)))
	left := new(big.Int).Sub(reserve, milli(20))
	require.Equal(t, senderInfo{"0", "0", left.String(), milli(20).String()}, w.info(me))
	w.rounds(1)
	require.Equal(t, senderInfo{"0", "0", left.String(), "0"}, w.info(me))
	share := new(big.Int).Div(left, big.NewInt(3))
	require.Equal(t, share, claimable(a))
	require.Equal(t, share, claimable(c))
	require.Equal(t, milli(15), w.number(contracts.BondingManager, "fees", a))
	require.Equal(t, milli(10), w.number(contracts.BondingManager, "fees", b))
}

func TestInactiveRecipientIsPaidFromDepositOnly(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	active, inactive := common.Address{0xaa}, common.Address{0xbb}
	require.NoError(t, w.net.AddTranscoder(t.Context(), active))
	require.NoError(t, w.net.AddTranscoder(t.Context(), inactive))
	require.NoError(t, w.net.DeactivateTranscoder(t.Context(), inactive))
	w.do(w.sender, milli(30), "fundDepositAndReserve", milli(10), milli(20))

	require.Zero(t, w.number(contracts.TicketBroker, "claimableReserve", w.sender.Address, inactive).Sign())
	require.Contains(t, w.redeem(w.winner(1, inactive, milli(15))),
		fmt.Sprintf("WinningTicketTransfer %s %s %s", w.sender.Address, inactive, milli(10)))
	require.Equal(t, milli(20).String(), w.info(w.sender.Address).reserve)

	require.NoError(t, w.net.DeactivateTranscoder(t.Context(), active))
	require.Zero(t, w.number(contracts.TicketBroker, "claimableReserve", w.sender.Address, active).Sign(), "an empty pool")
}

func TestBatchSkipsFailures(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	recipient := common.Address{0xaa}
	require.NoError(t, w.net.AddTranscoder(t.Context(), recipient))
	w.do(w.sender, milli(10), "fundDeposit")

	first, lost, second := w.winner(1, recipient, milli(1)), w.winner(2, recipient, milli(2)), w.winner(3, recipient, milli(4))
	lost.WinProb = new(big.Int)
	tickets := []ticket{first, lost, first, second}
	var sigs [][]byte
	var rands []*big.Int
	for _, tk := range tickets {
		sigs, rands = append(sigs, w.signature(w.sender.Key, tk)), append(rands, tk.rand)
	}
	w.do(w.other, nil, "batchRedeemWinningTickets", tickets, sigs, rands)
	require.Equal(t, milli(5).String(), w.info(w.sender.Address).deposit)
}

func TestPool(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	a, b, c := common.Address{0xaa}, common.Address{0xbb}, common.Address{0xcc}
	pool := func() (list []common.Address) {
		next := w.view(contracts.BondingManager, "getFirstTranscoderInPool")[0].(common.Address)
		for next != (common.Address{}) {
			list = append(list, next)
			next = w.view(contracts.BondingManager, "getNextTranscoderInPool", next)[0].(common.Address)
		}
		require.EqualValues(t, len(list), w.number(contracts.BondingManager, "getTranscoderPoolSize").Int64())
		return list
	}
	require.Empty(t, pool())
	for _, transcoder := range []common.Address{a, b, c} {
		require.NoError(t, w.net.AddTranscoder(t.Context(), transcoder))
	}
	require.Equal(t, []common.Address{a, b, c}, pool())
	require.NoError(t, w.net.DeactivateTranscoder(t.Context(), a))
	require.Equal(t, []common.Address{b, c}, pool())
	require.Equal(t, false, w.view(contracts.BondingManager, "isActiveTranscoder", a)[0])
	require.NoError(t, w.net.AddTranscoder(t.Context(), a))
	require.NoError(t, w.net.RemoveTranscoder(t.Context(), c))
	require.Equal(t, []common.Address{b, a}, pool())
	require.ErrorContains(t, w.net.AddTranscoder(t.Context(), a), "transcoder is already active")
	require.ErrorContains(t, w.net.RemoveTranscoder(t.Context(), c), "transcoder must be registered")
	require.Equal(t, "caller is not the controller owner", w.refusalBy(contracts.BondingManager, w.other, nil, "addTranscoder", c))
}

func TestServiceRegistry(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	uri := "https://127.0.0.1:8935"
	require.Equal(t, "", w.view(contracts.ServiceRegistry, "getServiceURI", w.sender.Address)[0])
	require.NoError(t, w.net.SetServiceURI(t.Context(), w.sender.Key, uri))
	require.Equal(t, uri, w.view(contracts.ServiceRegistry, "getServiceURI", w.sender.Address)[0])
}

// The deployed contract's getTicketHash gave these hashes.
func TestTicketHash(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	data, err := os.ReadFile("testdata/ticket_hashes.json")
	require.NoError(t, err)
	var cases []struct {
		Name               string
		Recipient, Sender  common.Address
		FaceValue, WinProb string
		SenderNonce        int64
		RecipientRandHash  common.Hash
		AuxData            hexutil.Bytes
		OnChainHash        common.Hash
	}
	require.NoError(t, json.Unmarshal(data, &cases))
	require.NotEmpty(t, cases)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			faceValue, _ := new(big.Int).SetString(c.FaceValue, 10)
			winProb, _ := new(big.Int).SetString(c.WinProb, 10)
			hash := w.view(contracts.TicketBroker, "getTicketHash", ticket{
				Recipient: c.Recipient, Sender: c.Sender, FaceValue: faceValue, WinProb: winProb,
				SenderNonce: big.NewInt(c.SenderNonce), RecipientRandHash: c.RecipientRandHash, AuxData: c.AuxData,
			})[0].([32]byte)
			require.Equal(t, c.OnChainHash, common.Hash(hash))
		})
	}
}
