package nodes

import (
	"encoding/hex"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/pmctl/pmctl/wallet/contract"
)

// Codes of a revert, which EIP-1474 leaves to the nodes: the large clients', and that of
// Parity's descendants.
const (
	executionReverted = 3
	vmExecutionError  = -32015
)

// revert returns the revert in a node's error answer, or nil.
func (e *AnswerError) revert() *contract.RevertError {
	text, named := revertText(e.Message)
	named = named || e.Code == executionReverted || e.Code == vmExecutionError
	data, ok := revertData(e.Data, mostNested)
	if ok && (named || len(data) > 0) && (len(data) > 0 || text == "") {
		return &contract.RevertError{Reason: revertReason(data)}
	}
	if !named {
		return nil
	}
	// Some nodes have the returned data in the message, and some the reason.
	if data, err := hexutil.Decode(text); err == nil {
		text = revertReason(data)
	}
	return &contract.RevertError{Reason: text}
}

// mostNested limits how deep in an error's data the contract's is searched.
const mostNested = 3

// revertData finds the data that a reverted call returned in an error's data: a text that may
// begin with "Reverted", alone, in an object, or in one of an object's members named by
// transaction hashes.
func revertData(data any, deep int) ([]byte, bool) {
	switch v := data.(type) {
	case string:
		decoded, err := hexutil.Decode(strings.TrimPrefix(v, "Reverted "))
		return decoded, err == nil
	case map[string]any:
		if deep == 0 {
			return nil, false
		}
		for _, key := range []string{"data", "result", "return", "output"} {
			if found, ok := revertData(v[key], deep-1); ok {
				return found, true
			}
		}
		for _, inner := range v {
			if object, ok := inner.(map[string]any); ok {
				if found, ok := revertData(object, deep-1); ok {
					return found, true
				}
			}
		}
	}
	return nil, false
}

// revertText returns the reason in a message, and whether the message is about a revert.
func revertText(message string) (reason string, ok bool) {
	for _, begin := range []string{"execution reverted", "Execution reverted"} {
		if _, rest, found := strings.Cut(message, begin); found {
			return plainReason(strings.TrimPrefix(rest, ":")), true
		}
	}
	for _, begin := range []string{"VM Exception while processing transaction", "VM execution error", "Transaction reverted"} {
		_, rest, found := strings.Cut(message, begin)
		if !found {
			continue
		}
		for _, between := range []string{".", ":", " reverted", " revert", ":", " with reason string", " without a reason string"} {
			rest = strings.TrimPrefix(rest, between)
		}
		return plainReason(rest), true
	}
	return "", false
}

// plainReason is a reason without the node's additions.
func plainReason(text string) string {
	text, _, _ = strings.Cut(text, " (supplied gas ")
	text = strings.TrimSpace(text)
	if quoted := strings.Trim(text, `'"`); len(quoted) == len(text)-2 {
		return quoted
	}
	return text
}

// revertReason decodes the data of a reverted call: Error(string), Panic(uint256), an unknown
// custom error as its selector, or nothing.
func revertReason(data []byte) string {
	switch {
	case len(data) == 0:
		return ""
	case len(data) < 4:
		return "0x" + hex.EncodeToString(data)
	}
	reason, err := abi.UnpackRevert(data)
	if err != nil {
		return "custom error 0x" + hex.EncodeToString(data[:4])
	}
	return reason
}
