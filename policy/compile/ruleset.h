#pragma once
// filled next
