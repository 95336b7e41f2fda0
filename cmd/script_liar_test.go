package cmd

import (
	"context"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pmctl/pmctl/wallet/contract"
)

// startLiar serves $RPC through a node that can name a TicketBroker of its own, until the
// script ends. It is honest at first; http POST $LIAR/lie, /blind, /forge and /honest change that:
//
//	lie     names a contract that takes what it is sent, and answers reads about it as
//	        the real one does
//	blind   lies, and simulates nothing but the gas
//	forge   lies, simulates nothing but the gas, and adds the real one's events to receipts
//
// The script gets its URL as LIAR and the other contract's address as TAKER.
func startLiar(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: liar")
	}
	node, err := rpc.Dial(ts.Getenv("RPC"))
	ts.Check(err)
	ts.Defer(node.Close)
	taker, err := deployTaker(ethclient.NewClient(node), strings.TrimSpace(ts.ReadFile("key1")))
	ts.Check(err)
	l := &liar{node: node, broker: common.HexToAddress(ts.Getenv("BROKER")), taker: taker}
	server := httptest.NewServer(l)
	ts.Defer(server.Close)
	ts.Setenv("LIAR", server.URL)
	ts.Setenv("TAKER", taker.Hex())
}

// deployTaker creates a contract that accepts every call and keeps what comes with it.
func deployTaker(node *ethclient.Client, keyHex string) (common.Address, error) {
	ctx := context.Background()
	key, err := crypto.HexToECDSA(keyHex)
	if err != nil {
		return common.Address{}, err
	}
	id, err := node.ChainID(ctx)
	if err != nil {
		return common.Address{}, err
	}
	// It returns one byte of code, which is STOP.
	code := common.FromHex("0x6001600c60003960016000f300")
	signed, err := types.SignNewTx(key, types.LatestSignerForChainID(id), &types.DynamicFeeTx{
		ChainID: id, Gas: 200_000, GasFeeCap: big.NewInt(10_000_000_000), GasTipCap: big.NewInt(1), Data: code,
	})
	if err != nil {
		return common.Address{}, err
	}
	return crypto.CreateAddress(crypto.PubkeyToAddress(key.PublicKey), 0), node.SendTransaction(ctx, signed)
}

const (
	liarHonest = iota
	liarLies
	liarIsBlind
	liarForges
)

type liar struct {
	node          *rpc.Client
	broker, taker common.Address
	mode          atomic.Int32
}

// ServeHTTP implements http.Handler.
func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/honest":
		l.mode.Store(liarHonest)
		return
	case "/lie":
		l.mode.Store(liarLies)
		return
	case "/blind":
		l.mode.Store(liarIsBlind)
		return
	case "/forge":
		l.mode.Store(liarForges)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var requests []rpcRequest
	batch := json.Unmarshal(body, &requests) == nil
	if !batch {
		requests = make([]rpcRequest, 1)
		if err := json.Unmarshal(body, &requests[0]); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	replies := make([]rpcReply, len(requests))
	for i, req := range requests {
		replies[i] = l.answer(r.Context(), req)
	}
	w.Header().Set("Content-Type", "application/json")
	if batch {
		_ = json.NewEncoder(w).Encode(replies)
		return
	}
	_ = json.NewEncoder(w).Encode(replies[0])
}

func (l *liar) answer(ctx context.Context, req rpcRequest) rpcReply {
	mode := l.mode.Load()
	reply := rpcReply{Version: "2.0", ID: req.ID}
	params := make([]any, len(req.Params))
	for i, p := range req.Params {
		params[i] = p
	}
	asksRegistry := hexutil.Encode(contract.NewController().PackGetContract(crypto.Keccak256Hash([]byte("TicketBroker"))))
	switch {
	case mode == liarHonest:
	case req.Method == "eth_call" && strings.Contains(string(req.Params[0]), asksRegistry):
		reply.Result, _ = json.Marshal(common.BytesToHash(l.taker.Bytes()))
		return reply
	case req.Method == "eth_call":
		taker, broker := strings.ToLower(l.taker.Hex()), strings.ToLower(l.broker.Hex())
		params[0] = json.RawMessage(strings.ReplaceAll(string(req.Params[0]), taker, broker))
	case mode != liarLies && req.Method == "eth_simulateV1":
		reply.Error = &rpcError{Code: -32601, Message: "the method eth_simulateV1 does not exist/is not available"}
		return reply
	}
	if err := l.node.CallContext(ctx, &reply.Result, req.Method, params...); err != nil {
		reply.Error = &rpcError{Code: -32000, Message: err.Error()}
		if coded, ok := err.(rpc.Error); ok {
			reply.Error.Code = coded.ErrorCode()
		}
		if data, ok := err.(rpc.DataError); ok {
			reply.Error.Data = data.ErrorData()
		}
		return reply
	}
	if reply.Result == nil {
		reply.Result = json.RawMessage("null")
	}
	if mode == liarForges && req.Method == "eth_getTransactionReceipt" {
		reply.Result = l.forge(ctx, req, reply.Result)
	}
	return reply
}

// forge adds to the receipt of a funding what the TicketBroker would have logged.
func (l *liar) forge(ctx context.Context, req rpcRequest, raw json.RawMessage) json.RawMessage {
	receipt := new(types.Receipt)
	if json.Unmarshal(raw, receipt) != nil || receipt.TxHash == (common.Hash{}) {
		return raw
	}
	var sent struct {
		From  common.Address `json:"from"`
		Value *hexutil.Big   `json:"value"`
	}
	if l.node.CallContext(ctx, &sent, "eth_getTransactionByHash", req.Params[0]) != nil {
		return raw
	}
	funded := contract.NewTicketBroker().GetABI().Events["DepositFunded"].ID
	receipt.Logs = append(receipt.Logs, &types.Log{
		Address: l.taker, Topics: []common.Hash{funded, common.BytesToHash(sent.From.Bytes())}, Data: common.BigToHash((*big.Int)(sent.Value)).Bytes(),
		BlockNumber: receipt.BlockNumber.Uint64(), BlockHash: receipt.BlockHash, TxHash: receipt.TxHash,
	})
	forged, err := json.Marshal(receipt)
	if err != nil {
		return raw
	}
	return forged
}
