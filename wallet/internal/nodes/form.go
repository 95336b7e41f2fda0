package nodes

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
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
	case "eth_getBalance", "eth_gasPrice", "eth_maxPriorityFeePerGas", "eth_estimateGas", "eth_blockNumber":
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
	var text string
	if err := json.Unmarshal(raw, &text); err != nil || !strings.HasPrefix(text, "0x") && !strings.HasPrefix(text, "0X") {
		return nil, fmt.Errorf("%.40s is not a hexadecimal number", raw)
	}
	value, ok := new(big.Int).SetString(text[2:], 16)
	if !ok || value.Sign() < 0 || strings.ContainsAny(text, "+_") {
		return nil, fmt.Errorf("%.40s is not a hexadecimal number", raw)
	}
	return json.Marshal((*hexutil.Big)(value))
}

// nonce is a quantity that an account can have reached: a transaction behind a larger one would wait
// for ever.
func nonce(raw json.RawMessage) (json.RawMessage, error) {
	result, err := quantity(raw)
	if err != nil {
		return nil, err
	}
	var value hexutil.Big
	if err := json.Unmarshal(result, &value); err != nil || !value.ToInt().IsInt64() {
		return nil, fmt.Errorf("%.40s is more than an account's nonce can be", raw)
	}
	return result, nil
}

// number is a quantity that may also be decimal, for a value that is known in advance and so
// cannot be misread.
func number(raw json.RawMessage) (json.RawMessage, error) {
	text := strings.Trim(string(raw), `"`)
	if value, ok := new(big.Int).SetString(text, 10); ok && value.Sign() > 0 && !strings.ContainsAny(text, "+_") {
		return json.Marshal((*hexutil.Big)(value))
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
