package chain_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/wei"
)

// fund sends a funding of 5 wei of deposit and 7 of reserve to a contract, and returns the
// expected funding and the receipt.
func fund(t *testing.T, acts *devnet.Sender, who, to common.Address) (broker.Funding, *types.Receipt) {
	t.Helper()
	f := broker.Funding{Sender: who, Deposit: big.NewInt(5), Reserve: big.NewInt(7)}
	data := contract.NewTicketBroker().PackFundDepositAndReserve(f.Deposit, f.Reserve)
	sent, err := acts.Send(t.Context(), to, wei.FromUint64(12), data)
	require.NoError(t, err)
	receipt, err := acts.Wait(t.Context(), sent.Hash())
	require.NoError(t, err)
	return f, receipt
}

func TestAFundingIsChecked(t *testing.T) {
	for _, arbitrum := range []bool{false, true} {
		d, client := start(t, devnet.Config{Arbitrum: arbitrum})
		acts, who := account(t, d, client, 0)
		contracts, err := client.Contracts(t.Context())
		require.NoError(t, err)
		f, receipt := fund(t, acts, who, contracts.TicketBroker)
		compared, err := client.CheckFunding(t.Context(), receipt, f)
		require.NoError(t, err)
		require.True(t, compared)

		// Expected: more than was funded, another sender, or another contract.
		var wrong *broker.FundingError
		for name, f := range map[string]broker.Funding{
			"deposit": {Sender: who, Deposit: big.NewInt(6), Reserve: big.NewInt(7)},
			"reserve": {Sender: who, Deposit: big.NewInt(5), Reserve: big.NewInt(6)},
			"sender":  {Sender: common.Address{1}, Deposit: big.NewInt(5), Reserve: big.NewInt(7)},
		} {
			_, err = client.CheckFunding(t.Context(), receipt, f)
			require.ErrorAs(t, err, &wrong, name)
			require.True(t, wrong.Events)
			require.Equal(t, receipt.TxHash, wrong.Transaction)
			require.Contains(t, wrong.Hint(), "do not fund again before")
		}
		for _, log := range receipt.Logs {
			log.Address = elsewhere
		}
		_, err = client.CheckFunding(t.Context(), receipt, f)
		require.ErrorAs(t, err, &wrong, "the events are another contract's")
		require.Zero(t, wrong.GotDeposit.Sign())
	}
}

// TestADepositThatDidNotGrow: a node that adds events to the receipt of an ineffective
// transaction would have to forge the earlier deposit too.
func TestADepositThatDidNotGrow(t *testing.T) {
	d, client := start(t, devnet.Config{})
	acts, who := account(t, d, client, 0)
	contracts, err := client.Contracts(t.Context())
	require.NoError(t, err)
	f, receipt := fund(t, acts, who, contracts.TicketBroker)
	later, err := acts.Send(t.Context(), common.Address{9}, wei.FromUint64(1), nil)
	require.NoError(t, err)
	empty, err := acts.Wait(t.Context(), later.Hash())
	require.NoError(t, err)
	empty.Logs = receipt.Logs
	_, err = client.CheckFunding(t.Context(), empty, f)
	var wrong *broker.FundingError
	require.ErrorAs(t, err, &wrong)
	require.False(t, wrong.Events)
	require.Zero(t, wrong.GotDeposit.Sign())
	require.Contains(t, wrong.Error(), "the deposit grew by 0 wei and the reserve by 0 wei, not by 5 wei and 7 wei")
}

// TestOthersInTheSameBlock: a redemption, or another funding, in the same block is not an error
// of the funding.
func TestOthersInTheSameBlock(t *testing.T) {
	d, client := start(t, devnet.Config{})
	contracts, err := client.Contracts(t.Context())
	require.NoError(t, err)
	one, who := account(t, d, client, 0)
	two, _ := account(t, d, client, 1)
	require.NoError(t, d.SetAutomine(t.Context(), false))
	data := contract.NewTicketBroker().PackFundDepositAndReserveFor(who, big.NewInt(5), big.NewInt(7))
	var sent []*types.Transaction
	for _, acts := range []*devnet.Sender{one, two} {
		signed, err := acts.Send(t.Context(), contracts.TicketBroker, wei.FromUint64(12), data)
		require.NoError(t, err)
		sent = append(sent, signed)
	}
	require.NoError(t, d.Mine(t.Context(), 1))
	receipt, err := one.Wait(t.Context(), sent[0].Hash())
	require.NoError(t, err)
	other, err := two.Wait(t.Context(), sent[1].Hash())
	require.NoError(t, err)
	require.Equal(t, receipt.BlockNumber, other.BlockNumber)
	// A node behind the one with the receipt lacks the block, and may or may not say so.
	behind := func(says *answer) *chain.Client {
		return dial(t, proxy(t, d, func(r request) (*answer, error) {
			switch r.Method {
			case "eth_getLogs":
				return says, nil
			case "eth_getBlockByHash":
				return &answer{Result: json.RawMessage("null")}, nil
			}
			return nil, nil
		}), network(d))
	}
	for _, node := range []*chain.Client{
		client, behind(&answer{Result: json.RawMessage(`[]`)}), behind(&answer{Error: &nodeError{Code: -32000, Message: "unknown block"}}),
	} {
		compared, err := node.CheckFunding(t.Context(), receipt, broker.Funding{Sender: who, Deposit: big.NewInt(5), Reserve: big.NewInt(7)})
		require.NoError(t, err)
		require.False(t, compared)
	}
}

// TestAPrunedNode no longer has the state of the block: only the events are left.
func TestAPrunedNode(t *testing.T) {
	d, client := start(t, devnet.Config{})
	acts, who := account(t, d, client, 0)
	contracts, err := client.Contracts(t.Context())
	require.NoError(t, err)
	f, receipt := fund(t, acts, who, contracts.TicketBroker)
	pruned := proxy(t, d, func(r request) (*answer, error) {
		if r.Method == "eth_call" && strings.HasPrefix(string(r.Params[1]), `"0x`) {
			return &answer{Error: &nodeError{Code: -32000, Message: "missing trie node"}}, nil
		}
		return nil, nil
	})
	compared, err := dial(t, pruned, network(d)).CheckFunding(t.Context(), receipt, f)
	require.NoError(t, err)
	require.False(t, compared)
}

func TestASimulatedFunding(t *testing.T) {
	for _, arbitrum := range []bool{false, true} {
		d, client := start(t, devnet.Config{Arbitrum: arbitrum})
		contracts, err := client.Contracts(t.Context())
		require.NoError(t, err)
		who := crypto.PubkeyToAddress(d.Accounts()[0].Key.PublicKey)
		f := broker.Funding{Sender: who, Deposit: big.NewInt(5), Reserve: big.NewInt(7)}
		call := ethereum.CallMsg{
			From: who, To: &contracts.TicketBroker, Value: big.NewInt(12),
			Data: contract.NewTicketBroker().PackFundDepositAndReserve(f.Deposit, f.Reserve),
		}
		require.NoError(t, client.SimulateFunding(t.Context(), call, f))
		poor := call
		poor.From = common.Address{42}
		require.NoError(t, client.SimulateFunding(t.Context(), poor, broker.Funding{Sender: poor.From, Deposit: f.Deposit, Reserve: f.Reserve}))

		var wrong *broker.FundingError
		require.ErrorAs(t, client.SimulateFunding(t.Context(), call, broker.Funding{Sender: common.Address{1}, Deposit: f.Deposit, Reserve: f.Reserve}), &wrong)
		require.Zero(t, wrong.Transaction)
		require.Contains(t, wrong.Hint(), "nothing was sent")

		// An account without code accepts the ether and does nothing.
		call.To = &elsewhere
		require.Error(t, client.SimulateFunding(t.Context(), call, f))

		// The gas estimate reports a revert better.
		call.To, call.Value = &contracts.TicketBroker, big.NewInt(1)
		require.NoError(t, client.SimulateFunding(t.Context(), call, f))
	}
}

// TestANodeThatCannotSimulate does not stop a funding, nor does one that answers something
// else.
func TestANodeThatCannotSimulate(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	call := ethereum.CallMsg{To: &elsewhere, Value: big.NewInt(1)}
	f := broker.Funding{Deposit: big.NewInt(1), Reserve: new(big.Int)}
	for name, said := range map[string]*answer{
		"unknown method": {Error: &nodeError{Code: -32601, Message: "the method eth_simulateV1 does not exist/is not available"}},
		"no blocks":      {Result: json.RawMessage(`[]`)},
		"other calls":    {Result: json.RawMessage(`[{"calls":[{"status":"0x1"}]}]`)},
		"a null event":   {Result: json.RawMessage(`[{"calls":[{"status":"0x1"},{"status":"0x1","logs":[null]},{"status":"0x1"}]}]`)},
	} {
		url := proxy(t, d, func(request) (*answer, error) { return said, nil })
		require.NoError(t, dial(t, url, network(d)).SimulateFunding(t.Context(), call, f), name)
	}
	forbidden, _ := failing(t, 403)
	require.NoError(t, dial(t, forbidden, network(d)).SimulateFunding(t.Context(), call, f))
	require.ErrorIs(t, dial(t, closed(t), network(d)).SimulateFunding(t.Context(), call, f), chain.ErrUnreachable)
}

// TestTheOldestBlock has no earlier one to compare with.
func TestTheOldestBlock(t *testing.T) {
	_, client := start(t, devnet.Config{})
	receipt := &types.Receipt{BlockNumber: new(big.Int), Logs: nil}
	compared, err := client.CheckFunding(t.Context(), receipt, broker.Funding{Deposit: new(big.Int), Reserve: new(big.Int)})
	require.NoError(t, err)
	require.False(t, compared)
}
