package io.tinyfaas.runtime.load;

import io.tinyfaas.function.Request;
import io.tinyfaas.function.Response;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * What a class puts for {@code I} and {@code O} of {@link Function}, wherever in its hierarchy it
 * does so. A type that the class leaves open is a {@link TypeVariable}.
 */
record FunctionTypes(Type input, Type output) {

  static final String RULE =
      "a function implements java.util.function.Function<I, O>, where I is String, byte[] or"
          + " io.tinyfaas.function.Request, and O is String, byte[] or"
          + " io.tinyfaas.function.Response";

  /**
   * @param type a class that implements {@link Function}
   */
  static FunctionTypes of(Class<?> type) {
    FunctionTypes found = search(type, Map.of());
    if (found == null) {
      throw new IllegalArgumentException(type.getName() + " is not a Function");
    }
    return found;
  }

  boolean areSupported() {
    return isInputSupported() && isOutputSupported();
  }

  LoadedFunction.Input asInput() {
    if (input == String.class) {
      return LoadedFunction.Input.TEXT;
    }
    return input == Request.class ? LoadedFunction.Input.REQUEST : LoadedFunction.Input.BYTES;
  }

  private boolean isInputSupported() {
    return input == String.class || input == byte[].class || input == Request.class;
  }

  private boolean isOutputSupported() {
    return output == String.class || output == byte[].class || output == Response.class;
  }

  /** As in source: {@code Function<Integer, T>}. */
  @Override
  public String toString() {
    return "Function<" + shortName(input) + ", " + shortName(output) + ">";
  }

  private static String shortName(Type type) {
    return type.getTypeName().replace("java.lang.", "");
  }

  /**
   * Depth first through superclass and interfaces.
   *
   * @param arguments what the type variables in the subtype's declaration stand for
   */
  private static FunctionTypes search(Type type, Map<TypeVariable<?>, Type> arguments) {
    Class<?> raw = raw(type);
    if (raw == null || !Function.class.isAssignableFrom(raw)) {
      return null;
    }
    Map<TypeVariable<?>, Type> own = new HashMap<>();
    if (type instanceof ParameterizedType parameterized) {
      TypeVariable<?>[] variables = raw.getTypeParameters();
      Type[] actual = parameterized.getActualTypeArguments();
      for (int i = 0; i < variables.length; i++) {
        own.put(variables[i], resolved(actual[i], arguments));
      }
    }
    if (raw == Function.class) {
      TypeVariable<?>[] variables = raw.getTypeParameters();
      return new FunctionTypes(
          own.getOrDefault(variables[0], variables[0]),
          own.getOrDefault(variables[1], variables[1]));
    }
    FunctionTypes found = search(raw.getGenericSuperclass(), own);
    for (Type parent : raw.getGenericInterfaces()) {
      if (found == null) {
        found = search(parent, own);
      }
    }
    return found;
  }

  private static Type resolved(Type type, Map<TypeVariable<?>, Type> arguments) {
    if (type instanceof TypeVariable<?> variable) {
      return arguments.getOrDefault(variable, variable);
    }
    if (type instanceof GenericArrayType array
        && resolved(array.getGenericComponentType(), arguments) instanceof Class<?> component) {
      return component.arrayType();
    }
    return type;
  }

  private static Class<?> raw(Type type) {
    if (type instanceof ParameterizedType parameterized) {
      return (Class<?>) parameterized.getRawType();
    }
    return type instanceof Class<?> plain ? plain : null;
  }
}
