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

// BondingManagerMetaData contains all meta data concerning the BondingManager contract.
var BondingManagerMetaData = bind.MetaData{
	ABI: "[{\"type\":\"function\",\"name\":\"isActiveTranscoder\",\"stateMutability\":\"view\",\"inputs\":[{\"name\":\"transcoder\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[{\"name\":\"\",\"type\":\"bool\",\"internalType\":\"bool\"}]},{\"type\":\"function\",\"name\":\"getTranscoderPoolSize\",\"stateMutability\":\"view\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"function\",\"name\":\"getFirstTranscoderInPool\",\"stateMutability\":\"view\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"function\",\"name\":\"getNextTranscoderInPool\",\"stateMutability\":\"view\",\"inputs\":[{\"name\":\"transcoder\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[{\"name\":\"\",\"type\":\"address\",\"internalType\":\"address\"}]}]",
	ID:  "BondingManager",
}

// BondingManager is an auto generated Go binding around an Ethereum contract.
type BondingManager struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *BondingManager) GetABI() abi.ABI {
	return c.abi
}

// NewBondingManager creates a new instance of BondingManager.
func NewBondingManager() *BondingManager {
	parsed, err := BondingManagerMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &BondingManager{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *BondingManager) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackGetFirstTranscoderInPool is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x88a6c749.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function getFirstTranscoderInPool() view returns(address)
func (bondingManager *BondingManager) PackGetFirstTranscoderInPool() []byte {
	enc, err := bondingManager.abi.Pack("getFirstTranscoderInPool")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackGetFirstTranscoderInPool is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x88a6c749.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function getFirstTranscoderInPool() view returns(address)
func (bondingManager *BondingManager) TryPackGetFirstTranscoderInPool() ([]byte, error) {
	return bondingManager.abi.Pack("getFirstTranscoderInPool")
}

// UnpackGetFirstTranscoderInPool is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x88a6c749.
//
// Solidity: function getFirstTranscoderInPool() view returns(address)
func (bondingManager *BondingManager) UnpackGetFirstTranscoderInPool(data []byte) (common.Address, error) {
	out, err := bondingManager.abi.Unpack("getFirstTranscoderInPool", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackGetNextTranscoderInPool is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x235c9603.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function getNextTranscoderInPool(address transcoder) view returns(address)
func (bondingManager *BondingManager) PackGetNextTranscoderInPool(transcoder common.Address) []byte {
	enc, err := bondingManager.abi.Pack("getNextTranscoderInPool", transcoder)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackGetNextTranscoderInPool is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x235c9603.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function getNextTranscoderInPool(address transcoder) view returns(address)
func (bondingManager *BondingManager) TryPackGetNextTranscoderInPool(transcoder common.Address) ([]byte, error) {
	return bondingManager.abi.Pack("getNextTranscoderInPool", transcoder)
}

// UnpackGetNextTranscoderInPool is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x235c9603.
//
// Solidity: function getNextTranscoderInPool(address transcoder) view returns(address)
func (bondingManager *BondingManager) UnpackGetNextTranscoderInPool(data []byte) (common.Address, error) {
	out, err := bondingManager.abi.Unpack("getNextTranscoderInPool", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackGetTranscoderPoolSize is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2a4e0d55.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function getTranscoderPoolSize() view returns(uint256)
func (bondingManager *BondingManager) PackGetTranscoderPoolSize() []byte {
	enc, err := bondingManager.abi.Pack("getTranscoderPoolSize")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackGetTranscoderPoolSize is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2a4e0d55.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function getTranscoderPoolSize() view returns(uint256)
func (bondingManager *BondingManager) TryPackGetTranscoderPoolSize() ([]byte, error) {
	return bondingManager.abi.Pack("getTranscoderPoolSize")
}

// UnpackGetTranscoderPoolSize is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x2a4e0d55.
//
// Solidity: function getTranscoderPoolSize() view returns(uint256)
func (bondingManager *BondingManager) UnpackGetTranscoderPoolSize(data []byte) (*big.Int, error) {
	out, err := bondingManager.abi.Unpack("getTranscoderPoolSize", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackIsActiveTranscoder is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x08802374.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function isActiveTranscoder(address transcoder) view returns(bool)
func (bondingManager *BondingManager) PackIsActiveTranscoder(transcoder common.Address) []byte {
	enc, err := bondingManager.abi.Pack("isActiveTranscoder", transcoder)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackIsActiveTranscoder is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x08802374.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function isActiveTranscoder(address transcoder) view returns(bool)
func (bondingManager *BondingManager) TryPackIsActiveTranscoder(transcoder common.Address) ([]byte, error) {
	return bondingManager.abi.Pack("isActiveTranscoder", transcoder)
}

// UnpackIsActiveTranscoder is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x08802374.
//
// Solidity: function isActiveTranscoder(address transcoder) view returns(bool)
func (bondingManager *BondingManager) UnpackIsActiveTranscoder(data []byte) (bool, error) {
	out, err := bondingManager.abi.Unpack("isActiveTranscoder", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}
