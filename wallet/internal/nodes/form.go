package nodes

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"
)

// inForm checks that a result has what its method promises, and returns it as Ethereum's
// specification writes it: nodes write numbers in several ways. A missing field is an error,
// and gets no default.
func inForm(chainID uint64, elem rpc.BatchElem, result json.RawMessage) (json.RawMessage, error) {
	switch elem.Method {
	case "eth_chainId":
		return number(result)
	case "eth_getTransactionCount":
		return nonce(result)
	case "eth_estimateGas":
		return gas(result)
	case "eth_gasPrice", "eth_maxPriorityFeePerGas":
		return price(result)
	case "eth_getBalance", "eth_blockNumber":
		return quantity(result)
	case "eth_call", "eth_getCode":
		var data hexutil.Bytes
		return result, json.Unmarshal(result, &data)
	case "eth_getBlockByNumber":
		if len(elem.Args) > 0 && elem.Args[0] == "latest" {
			return headForm(chainID, result)
		}
		return object(result, []string{"number", "timestamp"}, []string{"hash"}, []string{"baseFeePerGas"})
	case "eth_getTransactionByHash":
		result, err := object(result, nil, []string{"hash"}, nil)
		if err == nil {
			err = askedFor(result, "hash", elem)
		}
		return result, err
	case "eth_getTransactionReceipt":
		result, err := object(result, []string{"blockNumber", "status", "gasUsed", "cumulativeGasUsed"}, []string{"transactionHash", "blockHash"},
			[]string{"transactionIndex", "effectiveGasPrice", "type", "blobGasUsed", "blobGasPrice"})
		if err == nil {
			err = askedFor(result, "transactionHash", elem)
		}
		return result, err
	case "eth_getLogs":
		return logsForm(result)
	}
	return result, nil
}

// askedFor checks that the hash in a result, unless that is null, is the one that was asked for. A
// cache before a node may mix up its answers, and an equal transaction's receipt shows all that is
// expected of another one's.
func askedFor(result json.RawMessage, name string, elem rpc.BatchElem) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(result, &fields); err != nil || fields == nil || len(elem.Args) == 0 {
		return err
	}
	var hash common.Hash
	if err := json.Unmarshal(fields[name], &hash); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if hash != elem.Args[0] {
		return fmt.Errorf("%s is %s, not the one that was asked for", name, hash)
	}
	return nil
}

// quantity is a hexadecimal number. It accepts leading zeros, which the specification forbids,
// and nothing ambiguous.
func quantity(raw json.RawMessage) (json.RawMessage, error) {
	value, err := hexadecimal(raw)
	if err != nil {
		return nil, err
	}
	return json.Marshal((*hexutil.Big)(value))
}

func hexadecimal(raw json.RawMessage) (*big.Int, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil || !strings.HasPrefix(text, "0x") && !strings.HasPrefix(text, "0X") {
		return nil, fmt.Errorf("%.40s is not a hexadecimal number", raw)
	}
	value, ok := new(big.Int).SetString(text[2:], 16)
	if !ok || value.Sign() < 0 || strings.ContainsAny(text, "+_") {
		return nil, fmt.Errorf("%.40s is not a hexadecimal number", raw)
	}
	return value, nil
}

// nonce is a quantity that an account can have reached: a transaction behind a larger one would wait
// for ever.
func nonce(raw json.RawMessage) (json.RawMessage, error) {
	return within(raw, new(big.Int), big.NewInt(math.MaxInt64), "an account's nonce")
}

// gas is a quantity of gas that a transaction can use. With less as its limit it could not be mined;
// the upper bound is far above any block's limit.
func gas(raw json.RawMessage) (json.RawMessage, error) {
	return within(raw, new(big.Int).SetUint64(params.TxGas), big.NewInt(math.MaxInt64/4), "a transaction's gas")
}

// price is a price of gas for which a fee can be computed: an account has less than 2^128 wei.
func price(raw json.RawMessage) (json.RawMessage, error) {
	return within(raw, new(big.Int), mostPrice, "a price of gas")
}

var mostPrice = new(big.Int).Lsh(big.NewInt(1), 128)

// within is a quantity from least to most, the bounds of what it is.
func within(raw json.RawMessage, least, most *big.Int, what string) (json.RawMessage, error) {
	value, err := hexadecimal(raw)
	switch {
	case err != nil:
		return nil, err
	case value.Cmp(least) < 0:
		return nil, fmt.Errorf("%.40s is less than %s can be", raw, what)
	case value.Cmp(most) > 0:
		return nil, fmt.Errorf("%.40s is more than %s can be", raw, what)
	}
	return json.Marshal((*hexutil.Big)(value))
}

// number is a quantity that may also be decimal, for a value that is known in advance and so
// cannot be misread.
func number(raw json.RawMessage) (json.RawMessage, error) {
	const most = 78 // digits of 256 bits
	if text := strings.Trim(string(raw), `"`); len(text) <= most {
		if value, ok := new(big.Int).SetString(text, 10); ok && value.Sign() > 0 && !strings.ContainsAny(text, "+_") {
			return json.Marshal((*hexutil.Big)(value))
		}
	}
	return quantity(raw)
}

// object checks the fields of a result that is null or an object: required quantities, other
// required fields, and optional quantities.
func object(raw json.RawMessage, quantities, others, may []string) (json.RawMessage, error) {
	if string(raw) == "null" {
		return raw, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, errors.New("it is not an object")
	}
	for _, name := range slices.Concat(quantities, others) {
		if isNull(fields[name]) {
			return nil, fmt.Errorf("%s is missing", name)
		}
	}
	for _, name := range slices.Concat(quantities, may) {
		if isNull(fields[name]) {
			continue
		}
		value, err := quantity(fields[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		fields[name] = value
	}
	if logs, ok := fields["logs"]; ok && !isNull(logs) {
		value, err := logsForm(logs)
		if err != nil {
			return nil, err
		}
		fields["logs"] = value
	}
	return json.Marshal(fields)
}

func logsForm(raw json.RawMessage) (json.RawMessage, error) {
	var logs []json.RawMessage
	if err := json.Unmarshal(raw, &logs); err != nil || logs == nil {
		return nil, errors.New("it is not a list of events")
	}
	for i, log := range logs {
		value, err := object(log, []string{"blockNumber", "logIndex"}, []string{"address", "topics", "data", "transactionHash", "blockHash"},
			[]string{"transactionIndex", "blockTimestamp"})
		if err == nil && string(value) == "null" {
			err = errors.New("it is null")
		}
		if err != nil {
			return nil, fmt.Errorf("an event: %w", err)
		}
		logs[i] = value
	}
	return json.Marshal(logs)
}
