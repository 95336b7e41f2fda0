package devnet_test

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/contracts"
)

// world is a network as its users see it: over JSON-RPC.
type world struct {
	t   *testing.T
	net *devnet.Devnet
	eth *ethclient.Client
	abi map[string]abi.ABI

	sender, other devnet.Account
}

// start starts a network that ends with the test.
func start(t *testing.T, cfg devnet.Config) *devnet.Devnet {
	t.Helper()
	d, err := devnet.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func newWorld(t *testing.T, cfg devnet.Config) *world {
	t.Helper()
	d := start(t, cfg)
	client, err := ethclient.DialContext(t.Context(), d.RPCURL())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	artifacts, err := contracts.Load()
	require.NoError(t, err)
	w := &world{t: t, net: d, eth: client, abi: make(map[string]abi.ABI)}
	for name, contract := range artifacts.Contracts {
		w.abi[name] = contract.ABI
	}
	w.sender, w.other = d.Accounts()[0], d.Accounts()[1]
	return w
}

// milli is an amount in units of 10^15 wei, a thousandth of an ETH.
func milli(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e15)) }

func (w *world) message(from common.Address, value *big.Int, contract, method string, args ...any) ethereum.CallMsg {
	w.t.Helper()
	data, err := w.abi[contract].Pack(method, args...)
	require.NoError(w.t, err)
	to := w.net.Contracts()[contract]
	return ethereum.CallMsg{From: from, To: &to, Value: value, Data: data}
}

// refusal is the reason of the broker's revert, "" if the call succeeds.
func (w *world) refusal(from devnet.Account, value *big.Int, method string, args ...any) string {
	w.t.Helper()
	return w.refusalBy(contracts.TicketBroker, from, value, method, args...)
}

func (w *world) refusalBy(contract string, from devnet.Account, value *big.Int, method string, args ...any) string {
	w.t.Helper()
	_, err := w.eth.CallContract(w.t.Context(), w.message(from.Address, value, contract, method, args...), nil)
	return revertReason(w.t, err)
}

// revertReason is the reason of a revert, "" without an error.
func revertReason(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var data rpc.DataError
	require.True(t, errors.As(err, &data), "not a revert: %v", err)
	raw, ok := data.ErrorData().(string)
	require.True(t, ok, "no reason: %v", err)
	reason, unpackErr := abi.UnpackRevert(hexutil.MustDecode(raw))
	require.NoError(t, unpackErr, "%v", err)
	return reason
}

// do sends a transaction to the broker and expects it to succeed.
func (w *world) do(from devnet.Account, value *big.Int, method string, args ...any) *types.Receipt {
	w.t.Helper()
	receipt := w.send(from, w.message(from.Address, value, contracts.TicketBroker, method, args...))
	require.Equal(w.t, types.ReceiptStatusSuccessful, receipt.Status, method)
	return receipt
}

// send signs, sends and, as blocks are mined on demand, returns the receipt.
func (w *world) send(from devnet.Account, msg ethereum.CallMsg) *types.Receipt {
	w.t.Helper()
	tx := w.sign(from, msg, 0)
	require.NoError(w.t, w.eth.SendTransaction(w.t.Context(), tx))
	receipt, err := w.eth.TransactionReceipt(w.t.Context(), tx.Hash())
	require.NoError(w.t, err)
	return receipt
}

// sign makes a transaction whose nonce is ahead of the account's next.
func (w *world) sign(from devnet.Account, msg ethereum.CallMsg, ahead uint64) *types.Transaction {
	w.t.Helper()
	nonce, err := w.eth.PendingNonceAt(w.t.Context(), from.Address)
	require.NoError(w.t, err)
	price, err := w.eth.SuggestGasPrice(w.t.Context())
	require.NoError(w.t, err)
	tx, err := types.SignNewTx(from.Key, types.LatestSignerForChainID(w.net.ChainID()), &types.LegacyTx{
		Nonce: nonce + ahead, GasPrice: price.Mul(price, big.NewInt(2)), Gas: 2_000_000, To: msg.To, Value: msg.Value, Data: msg.Data,
	})
	require.NoError(w.t, err)
	return tx
}

// view calls a view and returns its results.
func (w *world) view(contract, method string, args ...any) []any {
	w.t.Helper()
	answer, err := w.eth.CallContract(w.t.Context(), w.message(common.Address{}, nil, contract, method, args...), nil)
	require.NoError(w.t, err)
	values, err := w.abi[contract].Unpack(method, answer)
	require.NoError(w.t, err)
	return values
}

func (w *world) number(contract, method string, args ...any) *big.Int {
	w.t.Helper()
	return w.view(contract, method, args...)[0].(*big.Int)
}

// senderInfo is the broker's data of a sender.
type senderInfo struct {
	deposit, withdrawRound, reserve, claimed string
}

func (w *world) info(sender common.Address) senderInfo {
	w.t.Helper()
	values := w.view(contracts.TicketBroker, "getSenderInfo", sender)
	var account struct{ Deposit, WithdrawRound *big.Int }
	var reserve struct{ FundsRemaining, ClaimedInCurrentRound *big.Int }
	abi.ConvertType(values[0], &account)
	abi.ConvertType(values[1], &reserve)
	return senderInfo{
		account.Deposit.String(), account.WithdrawRound.String(),
		reserve.FundsRemaining.String(), reserve.ClaimedInCurrentRound.String(),
	}
}

// events formats a receipt's events, in order, as Name(arguments) in the order of the ABI.
func (w *world) events(receipt *types.Receipt) []string {
	w.t.Helper()
	var out []string
	for _, log := range receipt.Logs {
		for _, contract := range w.abi {
			event, err := contract.EventByID(log.Topics[0])
			if err != nil {
				continue
			}
			values := make(map[string]any)
			require.NoError(w.t, event.Inputs.UnpackIntoMap(values, log.Data))
			var indexed abi.Arguments
			for _, input := range event.Inputs {
				if input.Indexed {
					indexed = append(indexed, input)
				}
			}
			require.NoError(w.t, abi.ParseTopicsIntoMap(values, indexed, log.Topics[1:]))
			text := event.Name
			for _, input := range event.Inputs {
				text += fmt.Sprintf(" %v", values[input.Name])
			}
			out = append(out, text)
			break
		}
	}
	return out
}

// ticket is a ticket in the broker's form, with the arguments of its redemption.
type ticket struct {
	Recipient, Sender               common.Address
	FaceValue, WinProb, SenderNonce *big.Int
	RecipientRandHash               [32]byte
	AuxData                         []byte
	rand                            *big.Int
}

var always = new(big.Int).Sub(new(big.Int).Lsh(common.Big1, 256), common.Big1)

// winner is a ticket of the current round that wins.
func (w *world) winner(nonce int64, recipient common.Address, faceValue *big.Int) ticket {
	w.t.Helper()
	round := w.number(contracts.RoundsManager, "currentRound")
	t := ticket{
		Recipient: recipient, Sender: w.sender.Address, FaceValue: faceValue, WinProb: always,
		SenderNonce: big.NewInt(nonce), AuxData: w.auxData(round), rand: big.NewInt(42),
	}
	t.RecipientRandHash = crypto.Keccak256Hash(common.BigToHash(t.rand).Bytes())
	return t
}

func (w *world) auxData(round *big.Int) []byte {
	w.t.Helper()
	hash := w.view(contracts.RoundsManager, "blockHashForRound", round)[0].([32]byte)
	return append(common.BigToHash(round).Bytes(), hash[:]...)
}

// signature is a key's signature of a ticket, in the broker's form.
func (w *world) signature(key *ecdsa.PrivateKey, t ticket) []byte {
	w.t.Helper()
	hash := w.view(contracts.TicketBroker, "getTicketHash", t)[0].([32]byte)
	sig, err := crypto.Sign(accounts.TextHash(hash[:]), key)
	require.NoError(w.t, err)
	sig[64] += 27
	return sig
}

// redeem redeems a ticket signed by the sender and returns the events.
func (w *world) redeem(t ticket) []string {
	w.t.Helper()
	return w.events(w.do(w.other, nil, "redeemWinningTicket", t, w.signature(w.sender.Key, t), t.rand))
}
