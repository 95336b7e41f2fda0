// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Controller} from "./Controller.sol";

/// @title ManagerProxy
/// @notice Keeps the storage and the address of a contract whose code is looked up
/// in the controller at each call, so that the code can be replaced.
contract ManagerProxy {
    Controller private immutable registry;
    bytes32 private immutable targetContractId;

    constructor(Controller _registry, bytes32 _targetContractId) {
        registry = _registry;
        targetContractId = _targetContractId;
    }

    receive() external payable {
        forward();
    }

    fallback() external payable {
        forward();
    }

    function forward() private {
        address target = registry.getContract(targetContractId);
        require(target != address(0), "target contract must be registered");

        assembly {
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), target, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch ok
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}
