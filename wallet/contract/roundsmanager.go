// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package contract

import (
	"bytes"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Reference imports to suppress errors if they are not otherwise used.
var (
	_ = bytes.Equal
	_ = errors.New
	_ = big.NewInt
	_ = common.Big1
	_ = types.BloomLookup
	_ = abi.ConvertType
)

// RoundsManagerMetaData contains all meta data concerning the RoundsManager contract.
var RoundsManagerMetaData = bind.MetaData{
	ABI: "[{\"type\":\"function\",\"name\":\"currentRound\",\"stateMutability\":\"view\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"function\",\"name\":\"lastInitializedRound\",\"stateMutability\":\"view\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"function\",\"name\":\"currentRoundInitialized\",\"stateMutability\":\"view\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"bool\",\"internalType\":\"bool\"}]},{\"type\":\"function\",\"name\":\"blockHashForRound\",\"stateMutability\":\"view\",\"inputs\":[{\"name\":\"round\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]},{\"type\":\"function\",\"name\":\"currentRoundStartBlock\",\"stateMutability\":\"view\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"function\",\"name\":\"roundLength\",\"stateMutability\":\"view\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"function\",\"name\":\"blockNum\",\"stateMutability\":\"view\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"event\",\"name\":\"NewRound\",\"anonymous\":false,\"inputs\":[{\"name\":\"round\",\"type\":\"uint256\",\"internalType\":\"uint256\",\"indexed\":true},{\"name\":\"blockHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\",\"indexed\":false}]}]",
	ID:  "RoundsManager",
}

// RoundsManager is an auto generated Go binding around an Ethereum contract.
type RoundsManager struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *RoundsManager) GetABI() abi.ABI {
	return c.abi
}

// NewRoundsManager creates a new instance of RoundsManager.
func NewRoundsManager() *RoundsManager {
	parsed, err := RoundsManagerMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &RoundsManager{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *RoundsManager) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackBlockHashForRound is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x3aa4add4.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function blockHashForRound(uint256 round) view returns(bytes32)
func (roundsManager *RoundsManager) PackBlockHashForRound(round *big.Int) []byte {
	enc, err := roundsManager.abi.Pack("blockHashForRound", round)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackBlockHashForRound is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x3aa4add4.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function blockHashForRound(uint256 round) view returns(bytes32)
func (roundsManager *RoundsManager) TryPackBlockHashForRound(round *big.Int) ([]byte, error) {
	return roundsManager.abi.Pack("blockHashForRound", round)
}

// UnpackBlockHashForRound is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x3aa4add4.
//
// Solidity: function blockHashForRound(uint256 round) view returns(bytes32)
func (roundsManager *RoundsManager) UnpackBlockHashForRound(data []byte) ([32]byte, error) {
	out, err := roundsManager.abi.Unpack("blockHashForRound", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackBlockNum is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8ae63d6d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function blockNum() view returns(uint256)
func (roundsManager *RoundsManager) PackBlockNum() []byte {
	enc, err := roundsManager.abi.Pack("blockNum")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackBlockNum is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8ae63d6d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function blockNum() view returns(uint256)
func (roundsManager *RoundsManager) TryPackBlockNum() ([]byte, error) {
	return roundsManager.abi.Pack("blockNum")
}

// UnpackBlockNum is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8ae63d6d.
//
// Solidity: function blockNum() view returns(uint256)
func (roundsManager *RoundsManager) UnpackBlockNum(data []byte) (*big.Int, error) {
	out, err := roundsManager.abi.Unpack("blockNum", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackCurrentRound is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8a19c8bc.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function currentRound() view returns(uint256)
func (roundsManager *RoundsManager) PackCurrentRound() []byte {
	enc, err := roundsManager.abi.Pack("currentRound")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCurrentRound is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8a19c8bc.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function currentRound() view returns(uint256)
func (roundsManager *RoundsManager) TryPackCurrentRound() ([]byte, error) {
	return roundsManager.abi.Pack("currentRound")
}

// UnpackCurrentRound is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8a19c8bc.
//
// Solidity: function currentRound() view returns(uint256)
func (roundsManager *RoundsManager) UnpackCurrentRound(data []byte) (*big.Int, error) {
	out, err := roundsManager.abi.Unpack("currentRound", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackCurrentRoundInitialized is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x219bc76c.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function currentRoundInitialized() view returns(bool)
func (roundsManager *RoundsManager) PackCurrentRoundInitialized() []byte {
	enc, err := roundsManager.abi.Pack("currentRoundInitialized")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCurrentRoundInitialized is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x219bc76c.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function currentRoundInitialized() view returns(bool)
func (roundsManager *RoundsManager) TryPackCurrentRoundInitialized() ([]byte, error) {
	return roundsManager.abi.Pack("currentRoundInitialized")
}

// UnpackCurrentRoundInitialized is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x219bc76c.
//
// Solidity: function currentRoundInitialized() view returns(bool)
func (roundsManager *RoundsManager) UnpackCurrentRoundInitialized(data []byte) (bool, error) {
	out, err := roundsManager.abi.Unpack("currentRoundInitialized", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackCurrentRoundStartBlock is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8fa148f2.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function currentRoundStartBlock() view returns(uint256)
func (roundsManager *RoundsManager) PackCurrentRoundStartBlock() []byte {
	enc, err := roundsManager.abi.Pack("currentRoundStartBlock")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCurrentRoundStartBlock is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8fa148f2.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function currentRoundStartBlock() view returns(uint256)
func (roundsManager *RoundsManager) TryPackCurrentRoundStartBlock() ([]byte, error) {
	return roundsManager.abi.Pack("currentRoundStartBlock")
}

// UnpackCurrentRoundStartBlock is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8fa148f2.
//
// Solidity: function currentRoundStartBlock() view returns(uint256)
func (roundsManager *RoundsManager) UnpackCurrentRoundStartBlock(data []byte) (*big.Int, error) {
	out, err := roundsManager.abi.Unpack("currentRoundStartBlock", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackLastInitializedRound is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8807f36e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function lastInitializedRound() view returns(uint256)
func (roundsManager *RoundsManager) PackLastInitializedRound() []byte {
	enc, err := roundsManager.abi.Pack("lastInitializedRound")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackLastInitializedRound is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8807f36e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function lastInitializedRound() view returns(uint256)
func (roundsManager *RoundsManager) TryPackLastInitializedRound() ([]byte, error) {
	return roundsManager.abi.Pack("lastInitializedRound")
}

// UnpackLastInitializedRound is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8807f36e.
//
// Solidity: function lastInitializedRound() view returns(uint256)
func (roundsManager *RoundsManager) UnpackLastInitializedRound(data []byte) (*big.Int, error) {
	out, err := roundsManager.abi.Unpack("lastInitializedRound", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackRoundLength is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8b649b94.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function roundLength() view returns(uint256)
func (roundsManager *RoundsManager) PackRoundLength() []byte {
	enc, err := roundsManager.abi.Pack("roundLength")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRoundLength is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8b649b94.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function roundLength() view returns(uint256)
func (roundsManager *RoundsManager) TryPackRoundLength() ([]byte, error) {
	return roundsManager.abi.Pack("roundLength")
}

// UnpackRoundLength is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8b649b94.
//
// Solidity: function roundLength() view returns(uint256)
func (roundsManager *RoundsManager) UnpackRoundLength(data []byte) (*big.Int, error) {
	out, err := roundsManager.abi.Unpack("roundLength", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// RoundsManagerNewRound represents a NewRound event raised by the RoundsManager contract.
type RoundsManagerNewRound struct {
	Round     *big.Int
	BlockHash [32]byte
	Raw       *types.Log // Blockchain specific contextual infos
}

const RoundsManagerNewRoundEventName = "NewRound"

// ContractEventName returns the user-defined event name.
func (RoundsManagerNewRound) ContractEventName() string {
	return RoundsManagerNewRoundEventName
}

// UnpackNewRoundEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event NewRound(uint256 indexed round, bytes32 blockHash)
func (roundsManager *RoundsManager) UnpackNewRoundEvent(log *types.Log) (*RoundsManagerNewRound, error) {
	event := "NewRound"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != roundsManager.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RoundsManagerNewRound)
	if len(log.Data) > 0 {
		if err := roundsManager.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range roundsManager.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}
