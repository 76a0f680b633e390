#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/client/hapaxctl/output/query_lexer.h"
#include "hapax/client/hapaxctl/output/query_node.h"

namespace hapax::ctl {
namespace {

using Node = QueryNode;
using Token = QueryToken;

// More than anybody writes, and few enough for the stack.
constexpr int kMaxDepth = 100;
constexpr size_t kMaxTokens = 1000;

// How strongly a symbol after an expression binds to it. Symbols that do not continue one have 0.
struct Binding {
  std::string_view symbol;
  int power;
};
constexpr Binding kBindings[] = {{"|", 1},  {"||", 2}, {"&&", 3}, {"==", 5}, {"!=", 5}, {"<", 5},
                                 {"<=", 5}, {">", 5},  {">=", 5}, {"[]", 9}, {"*", 20}, {"[?", 21},
                                 {".", 40}, {"!", 45}, {"{", 50}, {"[", 55}, {"(", 60}};
constexpr int kFlatten = 9;
// A symbol that binds less ends a projection.
constexpr int kProjectionEnd = 10;
constexpr int kStar = 20;
constexpr int kFilter = 21;
constexpr int kDot = 40;
constexpr int kNot = 45;
constexpr int kExpression = 60;

int PowerOf(const Token& token) {
  if (token.type != Token::Type::kSymbol) return 0;
  const auto* const found = std::find_if(std::begin(kBindings), std::end(kBindings),
                                         [&](const Binding& it) { return it.symbol == token.text; });
  return found == std::end(kBindings) ? 0 : found->power;
}

Node Of(Node::Type type, std::vector<Node> children, std::string text = "") {
  Node node{.type = type, .text = std::move(text)};
  node.children = std::move(children);
  return node;
}

// A precedence-climbing parser. The first error stays in `status_`, and ends all loops.
class Parser {
 public:
  Parser(std::string_view expression, std::vector<Token> tokens)
      : expression_(expression), tokens_(std::move(tokens)) {}

  absl::StatusOr<Node> Whole() {
    Node node = Expression(0);
    if (Next().type != Token::Type::kEnd) Expected("the end");
    if (!status_.ok()) return status_;
    return node;
  }

 private:
  [[nodiscard]] const Token& Next() const { return tokens_[at_]; }
  [[nodiscard]] bool IsNext(std::string_view symbol) const { return IsSymbol(at_, symbol); }
  [[nodiscard]] bool IsSymbol(size_t at, std::string_view symbol) const {
    return at < tokens_.size() && tokens_[at].type == Token::Type::kSymbol && tokens_[at].text == symbol;
  }
  [[nodiscard]] bool IsNextName() const {
    return Next().type == Token::Type::kName || Next().type == Token::Type::kQuotedName;
  }
  [[nodiscard]] bool IsNextIndex() const { return Next().type == Token::Type::kNumber || IsNext(":"); }
  Token Advance() {
    Token token = Next();
    if (token.type != Token::Type::kEnd) ++at_;
    return token;
  }
  bool Take(std::string_view symbol) {
    if (!status_.ok() || !IsNext(symbol)) return false;
    ++at_;
    return true;
  }
  void Expect(std::string_view symbol) {
    if (!Take(symbol)) Expected(symbol);
  }
  void Expected(std::string_view what) {
    if (status_.ok()) status_ = WrongQuery(expression_, Next().at, what);
  }

  Node Expression(int power) {
    if (++depth_ > kMaxDepth) Expected("less nesting");
    Node left = status_.ok() ? First() : Node();
    while (status_.ok() && power < PowerOf(Next())) left = Continued(std::move(left));
    --depth_;
    return left;
  }

  // Parses the beginning of an expression.
  Node First() {
    const Token token = Next();
    switch (token.type) {
      case Token::Type::kName:
      case Token::Type::kQuotedName:
        Advance();
        if (IsNext("(") && token.type == Token::Type::kQuotedName) Expected("a function's name without quotes");
        return {.type = Node::Type::kField, .text = token.text};
      case Token::Type::kLiteral:
        Advance();
        return {.type = Node::Type::kLiteral, .literal = token.literal};
      case Token::Type::kSymbol:
        return FirstSymbol();
      case Token::Type::kNumber:
      case Token::Type::kEnd:
        break;
    }
    Expected("an expression");
    return {};
  }

  Node FirstSymbol() {
    if (Take("@")) return {};
    if (Take("*")) return ValuesOf({});
    if (IsNext("[?") || IsNext("[]")) return Continued({});
    if (Take("!")) return Of(Node::Type::kNot, {Expression(kNot)});
    if (Take("&")) return Of(Node::Type::kExpression, {Expression(kExpression)});
    if (Take("{")) return ObjectBody();
    if (Take("(")) {
      Node inner = Expression(0);
      Expect(")");
      return inner;
    }
    if (!Take("[")) {
      Expected("an expression");
      return {};
    }
    if (IsNextIndex()) return Indexed({});
    if (IsNext("*") && IsSymbol(at_ + 1, "]")) return ElementsOf({});
    return ListBody();
  }

  // Parses what follows `left`, beginning with a symbol that binds.
  Node Continued(Node left) {
    if (Take(".")) {
      if (Take("*")) return ValuesOf(std::move(left));
      return Of(Node::Type::kThen, {std::move(left), AfterDot(kDot)});
    }
    if (Take("|")) return Of(Node::Type::kThen, {std::move(left), Expression(1)});
    if (Take("||")) return Of(Node::Type::kOr, {std::move(left), Expression(2)});
    if (Take("&&")) return Of(Node::Type::kAnd, {std::move(left), Expression(3)});
    if (Take("(")) return Call(left);
    if (Take("[?")) return Filtered(std::move(left));
    if (Take("[]")) {
      Node flat = Of(Node::Type::kFlatten, {std::move(left)});
      return Of(Node::Type::kProjection, {std::move(flat), OfEach(kFlatten)});
    }
    if (Take("[")) {
      if (IsNextIndex()) return Indexed(std::move(left));
      return ElementsOf(std::move(left));
    }
    for (const char* comparator : {"==", "!=", "<", "<=", ">", ">="}) {
      if (Take(comparator)) return Of(Node::Type::kComparison, {std::move(left), Expression(5)}, comparator);
    }
    Expected("an operator");
    return left;
  }

  // After a star.
  Node ValuesOf(Node left) { return Of(Node::Type::kValueProjection, {std::move(left), OfEach(kStar)}); }
  // After `[`, at a star.
  Node ElementsOf(Node left) {
    Expect("*");
    Expect("]");
    return Of(Node::Type::kProjection, {std::move(left), OfEach(kStar)});
  }
  // After `[?`.
  Node Filtered(Node left) {
    Node condition = Expression(0);
    Expect("]");
    Node each = IsNext("[]") ? Node() : OfEach(kFilter);
    return Of(Node::Type::kFilter, {std::move(left), std::move(each), std::move(condition)});
  }

  // The expression for each element of a projection.
  Node OfEach(int power) {
    if (PowerOf(Next()) < kProjectionEnd) return {};
    if (IsNext("[") || IsNext("[?")) return Expression(power);
    if (Take(".")) return AfterDot(power);
    Expected("what may follow a projection");
    return {};
  }
  Node AfterDot(int power) {
    if (IsNextName() || IsNext("*")) return Expression(power);
    if (Take("[")) return ListBody();
    if (Take("{")) return ObjectBody();
    Expected("a name, * , [ or {");
    return {};
  }

  // After `[`: an index, or a slice, which is a projection.
  Node Indexed(Node left) {
    Node node{.type = Node::Type::kIndex, .numbers = {std::nullopt}};
    while (status_.ok() && !Take("]")) {
      if (Take(":")) {
        node.type = Node::Type::kSlice;
        node.numbers.emplace_back();
        if (node.numbers.size() > 3) Expected("no third colon");
      } else if (Next().type == Token::Type::kNumber && !node.numbers.back().has_value()) {
        node.numbers.back() = Advance().number;
      } else {
        Expected("a number, : or ]");
      }
    }
    node.numbers.resize(3);
    if (node.numbers[2] == 0) Expected("a step other than 0 before");
    const bool slices = node.type == Node::Type::kSlice;
    Node indexed = Of(Node::Type::kThen, {std::move(left), std::move(node)});
    if (!slices) return indexed;
    return Of(Node::Type::kProjection, {std::move(indexed), OfEach(kStar)});
  }

  Node ListBody() {
    Node list{.type = Node::Type::kList};
    do {
      list.children.push_back(Expression(0));
    } while (Take(","));
    Expect("]");
    return list;
  }

  Node ObjectBody() {
    Node object{.type = Node::Type::kObject};
    do {
      if (!IsNextName()) Expected("a name");
      const std::string name = Advance().text;
      if (std::find(object.names.begin(), object.names.end(), name) != object.names.end()) Expected("each name once");
      object.names.push_back(name);
      Expect(":");
      object.children.push_back(Expression(0));
    } while (Take(","));
    Expect("}");
    return object;
  }

  Node Call(const Node& name) {
    if (name.type != Node::Type::kField || !IsQueryFunction(name.text)) Expected("a function of JMESPath before (");
    Node call{.type = Node::Type::kFunction, .text = name.text};
    if (Take(")")) return call;
    do {
      call.children.push_back(Expression(0));
    } while (Take(","));
    Expect(")");
    return call;
  }

  const std::string_view expression_;
  const std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<QueryNode> ParseQuery(std::string_view expression) {
  absl::StatusOr<std::vector<Token>> tokens = QueryTokens(expression);
  if (!tokens.ok()) return tokens.status();
  if (tokens->size() > kMaxTokens) return WrongQuery(expression, (*tokens)[kMaxTokens].at, "a shorter expression");
  return Parser(expression, *std::move(tokens)).Whole();
}

}  // namespace hapax::ctl
